//! History, replayed under any scaling set-up: what would it have done?
//!
//! Pure. [`Replay`] is an endpoint with its traffic; it plays a [`Setup`] minute by minute as Application Auto Scaling would
//! have acted ([`Emulator`]), and reads latency off the endpoint's own curve. Before any number of it is believed, the
//! present set-up is replayed and compared with what really happened ([`Replay::validate`]).

mod boot;
mod comparison;
mod draws;
mod emulator;
mod rules;
mod setup;
mod shares;
mod traffic;
mod validation;

pub use boot::Boot;
pub use draws::{Dice, draws, resampled};
pub use emulator::{Block, Draw, Emulator, Outcome, Step, Usage};
pub use rules::{AlarmRule, Compiled, Metric, Rule, Steps, Timed};
pub use setup::{NotReplayable, Setup};
pub use traffic::Traffic;

use crate::model::{Capacity, History, InstanceCount, Observation, Projection, ScalableDimension, UsdPerHour};
use crate::statistics::{quantile, theil_sen};

/// Replays behind a projection's range.
const PROJECTIONS: u64 = 200;
/// Draws of capacity and boot time among them.
const DRAWS: usize = 20;
/// Weeks differ, and a replay leaves things out (bursts within a minute, queues from one minute to the next): in simulated
/// endpoints whose new instances are as fast as the others, the minutes over the objective of the next week were within a
/// factor of 1.8 of the replay's as a rule, on either side.
const UNMODELLED: f64 = 0.6;
/// Unless new instances were seen to be as fast as the others, they may be slow at first, with caches to fill and code to
/// compile. Nobody knows at how many endpoints they are: as in the simulated ones, at four in ten, for a minute or two.
const COLD_SHARE: f64 = 0.4;
const COLD_MINUTES: f64 = 1.5;
/// Utilisation is worked out from the load only where nearly all of it follows.
const LEAST_EXPLAINED: f64 = 0.9;

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
        let is_warm = self.traffic.is_warm();
        let mut over = Vec::new();
        let mut hours = Vec::new();
        for number in 0..PROJECTIONS {
            let index = usize::try_from(number).unwrap_or_default() % outcomes.len().max(1);
            let Some(outcome) = outcomes.get(index) else { continue };
            let sum = resampled(&outcome.blocks, number);
            let mut dice = Dice::new(5_000 + number);
            let unmodelled = (UNMODELLED * dice.normal()).exp();
            let is_cold = dice.share() < COLD_SHARE && !is_warm;
            let cold = if is_cold { COLD_MINUTES } else { 0.0 };
            let expected = sum.over_minutes * unmodelled + cold * f64::from(outcome.changes / 2);
            // Single minutes fall on either side by chance.
            let counted = expected + expected.sqrt() * dice.normal();
            over.push(counted.max(0.0));
            hours.push(sum.instance_minutes / 60.0);
        }
        let range = |values: &[f64]| {
            let of = |share| quantile(values.iter().copied(), share).unwrap_or(0.0);
            (tenths(of(0.1)), tenths(of(0.9)))
        };
        let instance_hours = likely.instance_minutes() / 60.0;
        Projection {
            slo_violation_minutes: likely.over_minutes().round(),
            instance_hours: tenths(instance_hours),
            usd: self.price.map(|price| (100.0 * instance_hours * price.0).round() / 100.0),
            slo_violation_minutes_range: range(&over),
            instance_hours_range: range(&hours),
        }
    }
}

/// Nothing here is known to more than a tenth of a minute or an hour.
fn tenths(value: f64) -> f64 {
    (10.0 * value).round() / 10.0
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
    match &observation.component {
        Some(component) => component.accelerators.is_some_and(|gpus| gpus > 0.0),
        None => observation.variant.instance_type.as_ref().and_then(|kind| kind.gpus()).is_some_and(|gpus| gpus > 0),
    }
}

/// Utilisation over load; none where it does not follow it.
fn usage(observation: &Observation, capacity: &Capacity) -> Option<Usage> {
    if let Some(work) = capacity.work {
        let full = work.full_percent;
        return Some(Usage { idle: full * work.idle, each: full * work.per_invocation, full });
    }
    let history = History::of(observation);
    let kind = observation.variant.instance_type.as_ref();
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
    let units = if has_gpu { kind.and_then(|kind| kind.gpus()) } else { kind.and_then(|kind| kind.vcpus()) };
    // A copy's utilisation is published as a share of what it was given.
    let units = if observation.component.is_some() { Some(1) } else { units };
    let percent = 100.0 * f64::from(units.filter(|units| *units > 0)?);
    (each > 0.0 && left <= (1.0 - LEAST_EXPLAINED) * all).then_some(Usage {
        idle: idle * percent,
        each: each * percent,
        full: percent,
    })
}
