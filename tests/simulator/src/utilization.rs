//! What an instance's hardware shows for the work of one minute.

use crate::random::{Random, about};
use crate::{Conditions, Endpoint};

/// Readings differ from the truth by up to this part of them.
const NOISE: f64 = 0.02;
/// What cores have to do of the work that GPUs do.
const CORES_BESIDE_GPUS: f64 = 0.1;
/// Share of GPU memory that a model takes.
const GPU_MEMORY: f64 = 0.6;

/// The readings of all instances, in percent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gauges {
    pub cpu: Vec<f64>,
    pub gpu: Vec<f64>,
    pub gpu_memory: Vec<f64>,
    pub memory: Vec<f64>,
}

impl Gauges {
    /// Adds the readings of an instance, the `rank`th in service, whose container was busy for this share of its time.
    pub fn read(
        &mut self,
        endpoint: &Endpoint,
        conditions: &Conditions,
        rank: usize,
        busy_share: f64,
        random: &mut Random,
    ) {
        let is_hidden = rank < conditions.sick_instances && !conditions.sick_is_busy;
        let hidden = conditions.steal * if is_hidden { conditions.sick_factor } else { 1.0 };
        let at_work = endpoint.utilization_at_saturation * busy_share / hidden;
        let shown = |work: f64| endpoint.idle_utilization + (1.0 - endpoint.idle_utilization) * work;
        let mut percent = |share: f64, units: u32| {
            let full = 100.0 * f64::from(units);
            // Thousandths: nobody publishes more, and the last bits of a logarithm may differ between platforms.
            (about(random, share * full, NOISE).min(full) * 1e3).round() / 1e3
        };
        if endpoint.gpus > 0 {
            self.cpu.push(percent(shown(at_work * CORES_BESIDE_GPUS), endpoint.vcpus));
            self.gpu.push(percent(shown(at_work), endpoint.gpus));
            self.gpu_memory.push(percent(GPU_MEMORY, endpoint.gpus));
        } else {
            self.cpu.push(percent(shown(at_work), endpoint.vcpus));
        }
        self.memory.push(percent(conditions.memory, 1));
    }
}
