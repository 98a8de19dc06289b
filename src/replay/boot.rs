//! How long the endpoint takes to get instances into service.

use crate::model::{Observation, ScalingActivity};
use crate::statistics::quantile;

/// Boot times where the endpoint's own activities do not tell: usual for CPU and GPU containers.
const CPU_BOOT_MINUTES: f64 = 6.0;
const GPU_BOOT_MINUTES: f64 = 10.0;
/// Fewer scale-outs than this say nothing about the slow ones.
const BOOT_ACTIVITIES: usize = 5;
/// Boot times that are only usual may be off by this factor, either way.
const USUAL_SPREAD: f64 = 1.5;

/// Times from the request to service, in minutes.
#[derive(Debug, Clone, PartialEq)]
pub struct Boot {
    /// The endpoint's own, where there are enough; else what is usual.
    minutes: Vec<f64>,
    /// Whether these are the endpoint's own.
    pub is_measured: bool,
}

impl Boot {
    /// The boot times of an endpoint.
    #[must_use]
    pub fn of(observation: &Observation) -> Self {
        let activities = observation.scaling.iter().filter_map(|scaling| scaling.activities.as_ref()).flatten();
        let minutes: Vec<f64> = activities.filter_map(scale_out_minutes).collect();
        if minutes.len() >= BOOT_ACTIVITIES {
            return Self { minutes, is_measured: true };
        }
        let has_gpu = observation.variant.instance_types().any(|kind| kind.gpus() != Some(0));
        let usual = if has_gpu { GPU_BOOT_MINUTES } else { CPU_BOOT_MINUTES };
        Self { minutes: vec![usual / USUAL_SPREAD, usual, usual * USUAL_SPREAD], is_measured: false }
    }

    #[cfg(test)]
    pub(crate) fn measured(minutes: f64) -> Self {
        Self { minutes: vec![minutes], is_measured: true }
    }

    /// A quantile, 0 to 1, in minutes.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        quantile(self.minutes.iter().copied(), share).unwrap_or(CPU_BOOT_MINUTES)
    }

    /// The time in which 95 % of the scale-outs were done; where they are not known, the usual time.
    #[must_use]
    pub fn slow_minutes(&self) -> f64 {
        self.quantile(if self.is_measured { 0.95 } else { 0.5 })
    }
}

/// Minutes that a successful scale-out took.
fn scale_out_minutes(activity: &ScalingActivity) -> Option<f64> {
    let is_scale_out = activity.cause.contains("AlarmHigh") || activity.cause.contains("minimum capacity");
    let seconds = activity.ended_at?.as_second() - activity.started_at.as_second();
    #[expect(clippy::cast_precision_loss, reason = "seconds of a scale-out")]
    let minutes = seconds as f64 / 60.0;
    (is_scale_out && activity.status_code == "Successful" && minutes > 0.0).then_some(minutes)
}
