//! History, replayed under any scaling set-up: what would it have done?
//!
//! Pure. [`Replay`] is an endpoint with its traffic; it plays a [`Setup`] minute by minute as Application Auto Scaling would
//! have acted ([`Emulator`]), and reads latency off the endpoint's own curve. Before any number of it is believed, the
//! present set-up is replayed and compared with what really happened ([`Replay::validate`]).

mod boot;
mod comparison;
mod draws;
mod emulator;
mod instances;
mod outcome;
mod projection;
mod queue;
mod rules;
mod scaler;
mod setup;
mod shares;
mod traffic;
mod units;
mod validation;

pub use boot::Boot;
pub use draws::{Dice, draws, resampled};
pub use emulator::Emulator;
pub use instances::Usage;
pub use outcome::{Block, Draw, Outcome, Step};
pub use queue::QueueReplay;
pub use rules::{AlarmRule, Compiled, Metric, Rule, Steps, Timed};
pub use setup::{NotReplayable, Setup};
pub use traffic::Traffic;
pub use units::Units;

use crate::model::{
    Capacity, Forecast, History, Hosting, InstanceCount, Observation, Plan, Projection, ScalableDimension, UsdPerHour,
    Validation,
};
use crate::statistics::theil_sen;
use projection::{Cold, projection};

/// Draws of capacity and boot time behind a projection's range.
const DRAWS: usize = 20;
/// Utilisation is worked out from the load only where nearly all of it follows.
const LEAST_EXPLAINED: f64 = 0.9;
/// The share of the provisioned concurrency in use, as a policy with its predefined metric and its alarms have it.
const PROVISIONED_CONCURRENCY_UTILIZATION: &str = "AWS/SageMaker/ServerlessProvisionedConcurrencyUtilization";

/// An endpoint, its traffic and what is known of both.
#[derive(Debug, Clone)]
pub struct Replay {
    /// What arrived.
    pub traffic: Traffic,
    /// The endpoint as it works now.
    pub emulator: Emulator,
    /// How long instances take.
    pub boot: Boot,
    capacity: Capacity,
    price: Option<UsdPerHour>,
    current: Option<InstanceCount>,
    present: Option<Setup>,
    /// The metric that follows from the load, where one does.
    utilization: Option<&'static str>,
}

impl Replay {
    /// Gets an endpoint ready; none without an objective, traffic, or a curve to read latency off.
    #[must_use]
    pub fn of(observation: &Observation, capacity: &Capacity) -> Option<Self> {
        if observation.hosting == Hosting::Serverless {
            return Self::of_units(observation, capacity);
        }
        let limit = observation.objective?.latency_slo_ms.to_microseconds();
        let curve = capacity.curve.as_ref()?;
        let traffic = Traffic::of(observation)?.with_work(observation, capacity.work.as_ref());
        let emulator = Emulator::new(&traffic, curve, limit, usage(observation, capacity));
        Some(Self {
            traffic,
            emulator,
            boot: Boot::of(observation),
            capacity: capacity.clone(),
            price: observation.unit_price(),
            current: observation.running(),
            present: Setup::present(observation),
            utilization: Some(utilization_metric(observation)),
        })
    }

    /// A serverless variant: requests that find a unit of provisioned concurrency idle need no curve.
    fn of_units(observation: &Observation, capacity: &Capacity) -> Option<Self> {
        let (traffic, units) = Units::of(observation)?;
        Some(Self {
            emulator: Emulator::of_units(&traffic, units),
            traffic,
            boot: Boot::of(observation),
            capacity: capacity.clone(),
            price: observation.instance_price,
            current: observation.running(),
            present: Setup::present(observation),
            utilization: Some(PROVISIONED_CONCURRENCY_UTILIZATION),
        })
    }

    /// The set-up that stands now; none where nothing scales the variant.
    #[must_use]
    pub fn present(&self) -> Option<&Setup> {
        self.present.as_ref()
    }

    /// A set-up ready to be played.
    ///
    /// # Errors
    /// What of it cannot be replayed.
    pub fn compile(&self, setup: &Setup) -> Result<Compiled, NotReplayable> {
        setup.compile(
            self.traffic.first,
            self.traffic.minutes(),
            self.utilization.filter(|_| self.emulator.has_utilization()),
        )
    }

    /// The best estimate of what is not known for certain.
    #[must_use]
    pub fn likely(&self) -> Draw {
        Draw { capacity: 1.0, boot_minutes: self.boot.quantile(0.5) }
    }

    /// `count` draws of what is not known for certain.
    #[must_use]
    pub fn draws(&self, count: usize) -> Vec<Draw> {
        draws(&self.capacity, &self.boot, count)
    }

    /// What a set-up would have done, with its range.
    #[must_use]
    pub fn project(&self, setup: &Compiled) -> Projection {
        let start = self.start(setup);
        let outcomes: Vec<Outcome> =
            self.draws(DRAWS).into_iter().map(|draw| self.emulator.run(setup, start, draw)).collect();
        self.projection(&self.emulator.run(setup, start, self.likely()), &outcomes)
    }

    /// What the recorded instance counts would have done with the present work per request.
    #[must_use]
    pub fn project_recorded(&self) -> Projection {
        self.project_counts(&self.traffic.filled_instances())
    }

    /// What as many instances as are running now would have done; none where that is not known.
    #[must_use]
    pub fn project_fixed(&self) -> Option<Projection> {
        let count = f64::from(self.current?.0.max(1));
        Some(self.project_counts(&vec![count; self.traffic.minutes()]))
    }

    fn project_counts(&self, counts: &[f64]) -> Projection {
        let run = |draw| self.emulator.run_counts(counts, draw);
        let outcomes: Vec<Outcome> = self.draws(DRAWS).into_iter().map(run).collect();
        self.projection(&run(self.likely()), &outcomes)
    }

    /// Instances in the beginning: those recorded, where the set-up allows them.
    #[must_use]
    pub fn start(&self, setup: &Compiled) -> f64 {
        self.traffic.filled_instances().first().copied().unwrap_or(1.0).clamp(setup.min, setup.max)
    }

    fn projection(&self, likely: &Outcome, outcomes: &[Outcome]) -> Projection {
        // Provisioned concurrency is initialised before it counts.
        let is_warm = self.emulator.units().is_some() || self.traffic.is_warm();
        projection(likely, outcomes, self.price, if is_warm { Cold::Never } else { Cold::AsUsual })
    }

    /// What was, against what is planned; none where a replay of what there is does not come close to what happened.
    #[must_use]
    pub fn forecast(&self, plan: &Plan, validation: &Validation) -> Option<Forecast> {
        if !validation.passed {
            return None;
        }
        let current = match self.present() {
            Some(setup) => self.project(&self.compile(setup).ok()?),
            None => self.project_recorded(),
        };
        Some(Forecast {
            days: whole(self.traffic.days()),
            longest_wait: None,
            current,
            planned: self.project(&self.compile(&Setup::planned(plan)?).ok()?),
            no_policy: self.project_fixed(),
            validation: validation.clone(),
        })
    }
}

/// Days as people count them: to the nearest, and at least one.
fn whole(days: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few weeks")]
    let whole = days.round().max(1.0) as u32;
    whole
}

/// The metric of the resource that does the work: of the GPU, where there is one.
fn utilization_metric(observation: &Observation) -> &'static str {
    match (observation.dimension(), works_on_gpu(observation)) {
        (ScalableDimension::CopyCount, true) => "/aws/sagemaker/InferenceComponents/GPUUtilizationNormalized",
        (ScalableDimension::CopyCount, false) => "/aws/sagemaker/InferenceComponents/CPUUtilizationNormalized",
        (_, true) => "/aws/sagemaker/Endpoints/GPUUtilization",
        (_, false) => "/aws/sagemaker/Endpoints/CPUUtilization",
    }
}

/// Whether a GPU does the work: a copy's own, or the instance's.
fn works_on_gpu(observation: &Observation) -> bool {
    let gpus = match &observation.component {
        Some(component) => component.accelerators,
        None => observation.variant.gpus(),
    };
    gpus.is_some_and(|gpus| gpus > 0.0)
}

/// Utilisation over load; none where it does not follow it.
fn usage(observation: &Observation, capacity: &Capacity) -> Option<Usage> {
    if let Some(work) = capacity.work {
        let full = work.full_percent;
        return Some(Usage { idle: full * work.idle, each: full * work.per_invocation, full });
    }
    let history = History::of(observation);
    let variant = &observation.variant;
    let has_gpu = works_on_gpu(observation);
    let points: Vec<(f64, f64)> = history
        .0
        .values()
        .filter_map(|row| {
            let used = if has_gpu { row.gpu.average } else { row.cpu.average }?;
            Some((row.load?.0, used)).filter(|(load, used)| *load > 0.0 && load.is_finite() && used.is_finite())
        })
        .collect();
    let (idle, each) = theil_sen(&points)?;
    #[expect(clippy::cast_precision_loss, reason = "minutes of a few weeks")]
    let mean = points.iter().map(|(_, used)| used).sum::<f64>() / points.len().max(1) as f64;
    let (left, all) = points.iter().fold((0.0, 0.0), |(left, all), (load, used)| {
        (left + (used - idle - each * load).powi(2), all + (used - mean).powi(2))
    });
    let units = if has_gpu { variant.gpus() } else { variant.vcpus() };
    // A copy's utilisation is published as a share of what it was given.
    let units = if observation.component.is_some() { Some(1.0) } else { units };
    let percent = 100.0 * units.filter(|units| *units > 0.0)?;
    (each > 0.0 && left <= (1.0 - LEAST_EXPLAINED) * all).then_some(Usage {
        idle: idle * percent,
        each: each * percent,
        full: percent,
    })
}
