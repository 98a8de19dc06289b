//! Drawing an endpoint, its objective and how busy it is.

use super::Set;
use super::dice::Dice;
use crate::{Burst, Conditions, Discipline, Endpoint, Routing, Service, capacity, unloaded};

/// Instance types: name, vCPUs, GPUs.
const TYPES: [(&str, u32, u32); 13] = [
    ("ml.m5.large", 2, 0),
    ("ml.c5.large", 2, 0),
    ("ml.m5.xlarge", 4, 0),
    ("ml.c5.xlarge", 4, 0),
    ("ml.m5.2xlarge", 8, 0),
    ("ml.c5.2xlarge", 8, 0),
    ("ml.m5.4xlarge", 16, 0),
    ("ml.c6i.4xlarge", 16, 0),
    ("ml.g4dn.xlarge", 4, 1),
    ("ml.g5.xlarge", 4, 1),
    ("ml.g5.2xlarge", 8, 1),
    ("ml.g4dn.2xlarge", 8, 1),
    ("ml.g6.4xlarge", 16, 1),
];

/// Hours of history and how often; with more of it comes less traffic, so that a run stays within a million requests.
const HISTORIES: [(i64, f64); 6] = [(3, 0.26), (6, 0.24), (24, 0.25), (72, 0.15), (168, 0.08), (336, 0.02)];
/// Requests per minute that an endpoint has at least when the trouble begins: as drawn, and as it turned out.
const LEAST_RATE: f64 = 30.0;
const ENOUGH_RATE: f64 = 25.0;
/// Hardware that is used less than this at capacity idles. What tells overload from too few workers is on which side of a
/// wide gap around it the endpoint is.
pub(super) const BUSY: f64 = 0.42;
/// Endpoints that are drawn for a history before it is given up.
const SKETCHES: u32 = 400;
/// From this rate on, a minute has enough requests for a p99.
const RATE_FOR_P99: f64 = 300.0;

/// What a scenario needs of its endpoint.
#[derive(Clone)]
pub(crate) struct Wish {
    /// Instances in service.
    pub instances: (usize, usize),
    /// Load when the trouble begins, in units of capacity.
    pub level: (f64, f64),
    /// The objective, in units of the latency without load.
    pub objective: (f64, f64),
    /// Hours of history, at least and at most.
    pub hours: (i64, i64),
    /// Which instance gets a request; none: either.
    pub routing: Option<Routing>,
    /// How a container serves; none: any.
    pub discipline: Option<fn(&mut Dice) -> Discipline>,
    /// Share of the hardware in use at saturation.
    pub utilization: (f64, f64),
    /// Share of the hardware in use at least when the endpoint carries all that it can within the objective.
    pub busy: f64,
    /// Whether a GPU may do the work.
    pub gpu: bool,
    /// Rates in requests per minute, where not the usual ones.
    pub rates: Option<(f64, f64)>,
    /// Mean work of a request in seconds, where not the usual.
    pub work: Option<(f64, f64)>,
    /// Bursts inside every minute.
    pub burst: Option<Burst>,
    /// A last word on the endpoint.
    pub accepts: fn(&Site) -> bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            instances: (1, 6),
            level: (0.25, 0.75),
            objective: (1.6, 3.2),
            hours: (3, 336),
            routing: None,
            discipline: None,
            utilization: (0.45, 1.0),
            busy: 0.0,
            gpu: true,
            rates: None,
            work: None,
            burst: None,
            accepts: |_| true,
        }
    }
}

/// An endpoint in use.
#[derive(Clone)]
pub(crate) struct Site {
    pub endpoint: Endpoint,
    pub instance_type: &'static str,
    pub instances: usize,
    pub hours: i64,
    pub statistic: &'static str,
    pub quantile: f64,
    /// Latency in that statistic where nobody queues, in microseconds.
    pub unloaded_us: f64,
    pub objective_us: f64,
    /// Arrivals per minute that one instance takes within the objective.
    pub capacity: f64,
    /// Load when the trouble begins, in units of capacity.
    pub level: f64,
    /// A usual minute, but for its load.
    pub usual: Conditions,
    /// Whether development and validation have endpoints of this kind.
    pub is_new_physics: bool,
}

impl Site {
    /// An endpoint to one's wishes.
    pub fn draw(dice: &mut Dice, set: Set, wish: &Wish) -> Self {
        // A family that wants many instances may not find any with little enough traffic for a long history.
        let mut hours = dice.weighted(&HISTORIES);
        for attempt in 1.. {
            if attempt % SKETCHES == 0 || !(wish.hours.0..=wish.hours.1).contains(&hours) {
                hours = dice.weighted(&HISTORIES);
                continue;
            }
            if let Some(site) = Self::suiting(dice, set, wish, hours) {
                return site;
            }
        }
        unreachable!("it goes on until a site suits")
    }

    /// An endpoint to one's wishes with so many hours of history.
    pub fn of_hours(dice: &mut Dice, set: Set, wish: &Wish, hours: i64) -> Self {
        loop {
            if let Some(site) = Self::suiting(dice, set, wish, hours) {
                return site;
            }
        }
    }

    /// The next endpoint that is drawn; none where it does not suit.
    fn suiting(dice: &mut Dice, set: Set, wish: &Wish, hours: i64) -> Option<Self> {
        let mut site = Self::sketch(dice, set, wish, hours)?;
        let seed = dice.seed();
        site.unloaded_us = unloaded(site.endpoint, &site.usual, site.quantile, seed)?;
        site.objective_us = site.unloaded_us * dice.uniform(wish.objective.0..wish.objective.1);
        site.objective_us = (site.objective_us / 1e3).round().max(1.0) * 1e3;
        if !(wish.accepts)(&site) {
            return None;
        }
        site.capacity = capacity(site.endpoint, &site.usual, site.objective_us, site.quantile, seed);
        // Utilisation is only what the hardware shows; nothing of the above depends on it.
        let reach = site.capacity / site.served_at_most(0.0);
        let least = wish.utilization.0.max(wish.busy / reach);
        if least >= wish.utilization.1 {
            return None;
        }
        site.endpoint.utilization_at_saturation = dice.uniform(least..wish.utilization.1);
        // The rate was drawn for a guess of the capacity.
        let least_rate = wish.rates.map_or(ENOUGH_RATE, |(least, _)| 0.5 * least);
        (site.level * site.full() >= least_rate).then_some(site)
    }

    /// An endpoint without its objective; none where its traffic would not do.
    fn sketch(dice: &mut Dice, set: Set, wish: &Wish, hours: i64) -> Option<Self> {
        let instances = dice.whole(wish.instances.0..=wish.instances.1);
        let level = dice.uniform(wish.level.0..wish.level.1);
        let is_new_physics = set == Set::HoldOut && wish.discipline.is_none() && dice.chance(0.15);
        let discipline = match wish.discipline {
            Some(discipline) => discipline(dice),
            None if is_new_physics => new_discipline(dice),
            None => any_discipline(dice),
        };
        // Per second of mean work, an instance carries about four fifths of this many requests a minute.
        let per_second_of_work = 0.8 * 60.0 * parallelism(&discipline);
        let traffic = level * instances as f64 * per_second_of_work;
        let (least, most) = wish.rates.unwrap_or((LEAST_RATE, most_rate(hours)));
        let rate = dice.log_uniform(least..most);
        let mean = traffic / rate;
        // With a long history comes little traffic, and with that slower requests.
        let usual_work = (0.03, if hours < 72 { 0.6 } else { 1.2 });
        let (least_work, most_work) = wish.work.unwrap_or(usual_work);
        if !(least_work..most_work).contains(&mean) {
            return None;
        }
        let has_gpu = wish.gpu && dice.chance(0.25);
        let (instance_type, vcpus, gpus) = hardware(dice, has_gpu, &discipline, wish);
        let (statistic, quantile) = if rate > RATE_FOR_P99 && dice.chance(0.25) { ("p99", 0.99) } else { ("p90", 0.9) };
        let endpoint = Endpoint {
            discipline,
            service: service(dice, mean),
            routing: wish.routing.unwrap_or(if dice.chance(0.3) {
                Routing::LeastOutstandingRequests
            } else {
                Routing::Random
            }),
            queue_limit: dice.chance(0.2).then_some(100),
            vcpus,
            gpus,
            utilization_at_saturation: 1.0,
            idle_utilization: dice.uniform(0.01..0.08),
            speed_spread: 0.03,
            retries: None,
            cold: None,
            cold_after_idle_seconds: None,
            cache: None,
        };
        let usual = Conditions {
            over_dispersion: dice.uniform(0.0..0.3),
            burst: wish.burst,
            instances,
            overhead_seconds: dice.log_uniform(0.002..0.02),
            memory: dice.uniform(0.25..0.7),
            ..Conditions::default()
        };
        Some(Self {
            endpoint,
            instance_type,
            instances,
            hours,
            statistic,
            quantile,
            unloaded_us: 0.0,
            objective_us: 0.0,
            capacity: 0.0,
            level,
            usual,
            is_new_physics,
        })
    }

    /// Minutes of history.
    pub fn minutes(&self) -> i64 {
        self.hours * 60
    }

    /// Arrivals on the whole endpoint at a level of 1, per minute.
    pub fn full(&self) -> f64 {
        self.capacity * self.instances as f64
    }

    pub fn objective_seconds(&self) -> f64 {
        self.objective_us / 1e6
    }

    /// Requests per minute and instance that can be served at all where each holds its worker `wait_seconds` longer;
    /// infinite where nobody holds a worker while waiting.
    pub fn served_at_most(&self, wait_seconds: f64) -> f64 {
        let mean = self.endpoint.service.mean();
        match self.endpoint.discipline {
            Discipline::Fifo { workers } => 60.0 * workers as f64 / (mean + wait_seconds),
            Discipline::ProcessorSharing { cores } => 60.0 * cores as f64 / mean,
            Discipline::Batching { largest, fixed, .. } => {
                let largest = largest as f64;
                60.0 * largest / (mean * (fixed + (1.0 - fixed) * largest) + wait_seconds)
            }
        }
    }
}

/// The most requests per minute of an endpoint with this history.
fn most_rate(hours: i64) -> f64 {
    match hours {
        ..=3 => 1_600.0,
        4..=6 => 1_000.0,
        7..=24 => 450.0,
        25..=72 => 160.0,
        73..=168 => 75.0,
        _ => 45.0,
    }
}

fn any_discipline(dice: &mut Dice) -> Discipline {
    match dice.weighted(&[(0, 0.5), (1, 0.3), (2, 0.2)]) {
        0 => workers(dice),
        1 => Discipline::ProcessorSharing { cores: dice.whole(1..=8) },
        _ => Discipline::Batching { largest: dice.whole(4..=16), fixed: dice.uniform(0.4..0.9), window_seconds: 0.0 },
    }
}

/// Any number of workers.
pub(super) fn workers(dice: &mut Dice) -> Discipline {
    Discipline::Fifo { workers: dice.whole(1..=8) }
}

/// Kinds of endpoints that no rule was fitted on.
fn new_discipline(dice: &mut Dice) -> Discipline {
    if dice.chance(0.5) {
        Discipline::Batching {
            largest: dice.whole(2..=32),
            fixed: dice.uniform(0.3..0.95),
            window_seconds: dice.uniform(0.005..0.02),
        }
    } else {
        Discipline::Fifo { workers: dice.whole(9..=16) }
    }
}

/// How many requests are served in the time of one.
fn parallelism(discipline: &Discipline) -> f64 {
    match *discipline {
        Discipline::Fifo { workers } => workers as f64,
        Discipline::ProcessorSharing { cores } => cores as f64,
        Discipline::Batching { largest, fixed, .. } => {
            let largest = largest as f64;
            largest / (fixed + (1.0 - fixed) * largest)
        }
    }
}

fn service(dice: &mut Dice, mean: f64) -> Service {
    match dice.weighted(&[(0, 0.7), (1, 0.18), (2, 0.06), (3, 0.06)]) {
        0 => Service::LogNormal { mean, cv: dice.uniform(0.15..1.2) },
        1 => {
            // Clearly more than a tenth is long, so that p90 is about the long ones in every minute.
            let long_share = dice.uniform(0.18..0.4);
            let times = dice.uniform(2.0..6.0);
            let short = mean / (1.0 - long_share + long_share * times);
            Service::Bimodal { short, long: short * times, long_share }
        }
        2 => Service::Exponential(mean),
        _ => Service::Fixed(mean),
    }
}

/// An instance type that suits what its container does.
fn hardware(dice: &mut Dice, has_gpu: bool, discipline: &Discipline, wish: &Wish) -> (&'static str, u32, u32) {
    let at_once = match *discipline {
        Discipline::Fifo { workers } => workers,
        Discipline::ProcessorSharing { cores } => cores,
        Discipline::Batching { .. } => 2,
    } as u32;
    // Where the workers are to leave the hardware idle, they are fewer than a third of its cores.
    let is_starved = wish.utilization.1 < BUSY;
    let suits = |vcpus: u32| {
        if is_starved { vcpus > 3 * at_once } else { 2 * vcpus >= at_once && vcpus <= (4 * at_once).max(4) }
    };
    let fitting: Vec<(&'static str, u32, u32)> = TYPES
        .into_iter()
        .filter(|(_, vcpus, gpus)| if has_gpu { *gpus > 0 } else { *gpus == 0 && suits(*vcpus) })
        .collect();
    dice.pick(&fitting)
}
