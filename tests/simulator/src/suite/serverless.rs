//! Incidents of serverless variants, each with the right answer. They are families of their own: nothing of a fleet of
//! instances applies to them.

use super::dice::Dice;
use super::{Set, seed};
use crate::{
    Degradation, Published, ServerlessConditions, ServerlessEndpoint, ServerlessMinute, ServerlessRun,
    serverless_published,
};
use std::ops::Range;

/// Minutes of history.
const MINUTES: i64 = 1_440 + 180;
/// Minutes that the trouble has lasted at the end.
const TROUBLE: i64 = 12;
/// It may go on for so many minutes more until somebody looks: three minutes raise an alarm, and some more pass.
const LATER: i64 = 5;
/// Of variants in the hold-out set, so many are of kinds that no other set has.
const NEW_PHYSICS: f64 = 0.25;

/// Incidents of serverless variants with the same cause.
#[derive(Debug, Clone, Copy)]
pub struct ServerlessFamily {
    /// As `after_idle`.
    pub name: &'static str,
    /// What happens.
    pub about: &'static str,
    /// The right verdict.
    pub verdict: &'static str,
    /// Verdicts that are as right.
    pub also_right: &'static [&'static str],
    /// Its refinement, where one is asked for.
    pub sub_cause: Option<&'static str>,
    /// Whether more provisioned concurrency helps; none: it is no mistake either way.
    pub is_helped_by_units: Option<bool>,
    draw: fn(&mut Dice, &Kind) -> Drawn,
}

/// What variants are drawn from.
struct Kind {
    service_seconds: Range<f64>,
    service_cv: Range<f64>,
    setup_seconds: Range<f64>,
    keep_warm_seconds: Range<f64>,
}

const USUAL: Kind = Kind {
    service_seconds: 0.3..2.0,
    service_cv: 0.15..0.5,
    setup_seconds: 3.0..20.0,
    keep_warm_seconds: 240.0..900.0,
};

/// Requests of very different length, and images that take long to start.
const UNUSUAL: Kind = Kind {
    service_seconds: 0.08..6.0,
    service_cv: 0.5..0.8,
    setup_seconds: 10.0..60.0,
    keep_warm_seconds: 240.0..1_800.0,
};

/// One serverless variant with its trouble.
#[derive(Debug)]
pub struct ServerlessIncident {
    /// How it was built.
    pub endpoint: ServerlessEndpoint,
    /// `ProvisionedConcurrency` at the end; 0 is none.
    pub provisioned: usize,
    /// `ModelLatency` at p90 that it should keep, in milliseconds.
    pub objective_ms: f64,
    /// Its minutes, oldest first.
    pub minutes: Vec<ServerlessMinute>,
    /// Minutes since it was deployed, where that is why.
    pub deployed_minutes_ago: Option<i64>,
    /// Requests a minute that one unit of concurrency serves, as they usually are.
    pub capacity: f64,
    /// Whether only the hold-out set has variants of this kind.
    pub is_new_physics: bool,
    /// The minutes after them.
    after: Vec<ServerlessMinute>,
    seed: u64,
}

impl ServerlessIncident {
    /// What CloudWatch would answer some minutes later, and how many: not all metrics have come.
    #[must_use]
    pub fn seen(&self) -> (Vec<Published>, i64) {
        let mut dice = Dice::new(self.seed);
        let later = dice.minutes(0..=LATER);
        let missing_share = if dice.chance(0.3) { dice.uniform(0.0..0.05) } else { 0.0 };
        let minutes = [&self.minutes, &self.after[..later as usize]].concat();
        let mut series = serverless_published(&minutes);
        Degradation { lag_minutes: 2, missing_share, utilization_noise: 0.0, without: Vec::new() }
            .apply(&mut series, dice.seed());
        (series, later)
    }

    /// Minutes that the trouble has lasted where it is looked at so much later.
    #[must_use]
    pub fn trouble_minutes(&self, later: i64) -> i64 {
        TROUBLE + later
    }
}

/// What a minute is like; minutes are counted back from the end.
type Play = Box<dyn Fn(i64, &mut ServerlessConditions)>;

struct Drawn {
    endpoint: ServerlessEndpoint,
    /// The objective over the mean time in the container.
    objective: f64,
    deployed_minutes_ago: Option<i64>,
    play: Play,
}

/// Every family.
pub const SERVERLESS_FAMILIES: &[ServerlessFamily] = &[
    family("serverless_fine", "nothing is the matter", "transient", None, fine),
    family(
        "serverless_growth",
        "requests come faster until all of MaxConcurrency is in use",
        LIMIT,
        Some("max_concurrency"),
        growth,
    ),
    family(
        "serverless_quota",
        "the account lets it have less than MaxConcurrency",
        LIMIT,
        Some("account_quota"),
        quota,
    ),
    family("serverless_after_idle", "requests come again after hours without", COLD, Some("after_idle"), after_idle),
    family(
        "serverless_scale_out",
        "twice as many requests at once as there are warm containers",
        COLD,
        Some("scale_out"),
        scale_out,
    ),
    family(
        "serverless_spillover",
        "more requests at once than provisioned concurrency",
        COLD,
        Some("spillover"),
        spillover,
    ),
    family("serverless_infrequent", "a request every few minutes, each cold", "infrequent_traffic", None, infrequent),
    family("serverless_deployed", "a heavier model was deployed", "slow_model", Some("after_deployment"), deployed),
    family("serverless_slower", "each request takes twice the time", "slow_model", None, slower),
    family(
        "serverless_small_memory",
        "the memory size is so small that the model was always too slow",
        "slow_model",
        Some("always_slow"),
        small_memory,
    ),
    family(
        "serverless_memory",
        "memory fills up, and requests slow down and fail with it",
        "memory_pressure",
        None,
        memory,
    ),
    family("serverless_model_errors", "a third of the requests fail", "model_errors", None, model_errors),
    family(
        "serverless_client_errors",
        "the container refuses three of ten requests",
        "client_errors",
        None,
        client_errors,
    ),
    family("serverless_overhead", "time is lost outside the container", "overhead", None, overhead),
    family("serverless_tight", "what is normal is hardly below the objective", "objective_too_tight", None, tight),
    ServerlessFamily {
        is_helped_by_units: None,
        ..family(
            "serverless_slower_provisioned",
            "each request takes several times as long, so that they come beyond provisioned concurrency",
            "slow_model",
            None,
            slower_provisioned,
        )
    },
];

const LIMIT: &str = "serverless_concurrency_limit";
const COLD: &str = "cold_start";

const fn family(
    name: &'static str,
    about: &'static str,
    verdict: &'static str,
    sub_cause: Option<&'static str>,
    draw: fn(&mut Dice, &Kind) -> Drawn,
) -> ServerlessFamily {
    // Units are never cold, and do nothing else.
    let is_helped_by_units = Some(matches!(verdict.as_bytes(), b"cold_start"));
    ServerlessFamily { name, about, verdict, also_right: &[], sub_cause, is_helped_by_units, draw }
}

/// The incident `replicate` of a family in a set.
#[must_use]
pub fn serverless_incident(family: &ServerlessFamily, set: Set, replicate: u64) -> ServerlessIncident {
    let mut dice = Dice::new(seed(family.name, set, replicate, 0));
    let is_new_physics = set == Set::HoldOut && dice.chance(NEW_PHYSICS);
    let kind = if is_new_physics { &UNUSUAL } else { &USUAL };
    let Drawn { endpoint, objective, deployed_minutes_ago, play } = (family.draw)(&mut dice, kind);
    let mut run = ServerlessRun::new(endpoint, dice.seed());
    let conditions = |minute| {
        let mut conditions = ServerlessConditions::default();
        play(minute, &mut conditions);
        conditions
    };
    let usual = conditions(-MINUTES);
    let mut minutes: Vec<ServerlessMinute> =
        (-MINUTES..LATER).map(|minute| run.step(minute, &conditions(minute))).collect();
    let after = minutes.split_off(MINUTES as usize);
    ServerlessIncident {
        endpoint,
        provisioned: conditions(-1).provisioned,
        objective_ms: 1_000.0 * objective * endpoint.service_seconds,
        minutes,
        after,
        deployed_minutes_ago,
        capacity: 60.0 / (usual.work_factor * endpoint.service_seconds + usual.overhead_seconds),
        is_new_physics,
        seed: dice.seed(),
    }
}

/// A variant that keeps this concurrency in the mean, and how many requests a minute that takes.
fn site(dice: &mut Dice, kind: &Kind, concurrency: f64) -> (ServerlessEndpoint, f64) {
    let service_seconds = dice.log_uniform(kind.service_seconds.clone());
    let endpoint = ServerlessEndpoint {
        max_concurrency: (8.0 * concurrency).ceil() as usize,
        memory_size_in_mb: dice.pick(&[2_048, 3_072, 4_096]),
        service_seconds,
        service_cv: dice.uniform(kind.service_cv.clone()),
        setup_seconds: dice.log_uniform(kind.setup_seconds.clone()),
        keep_warm_seconds: dice.uniform(kind.keep_warm_seconds.clone()),
    };
    (endpoint, 60.0 * concurrency / service_seconds)
}

/// A day's curve around a mean.
fn daily(minute: i64, mean: f64, swing: f64) -> f64 {
    mean * (1.0 + swing * (std::f64::consts::TAU * (minute as f64 + 300.0) / 1_440.0).cos())
}

/// How far the trouble has come.
fn progress(minute: i64) -> f64 {
    ((minute + TROUBLE) as f64 / 3.0).clamp(0.0, 1.0)
}

fn drawn(endpoint: ServerlessEndpoint, play: impl Fn(i64, &mut ServerlessConditions) + 'static) -> Drawn {
    Drawn { endpoint, objective: 2.5, deployed_minutes_ago: None, play: Box::new(play) }
}

fn fine(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.0..4.0);
    let (endpoint, rate) = site(dice, kind, mean);
    drawn(endpoint, move |minute, now| now.arrivals_per_minute = daily(minute, rate, 0.3))
}

fn growth(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.5..4.0);
    let (endpoint, rate) = site(dice, kind, mean);
    let most = (3.0 * mean).ceil() as usize;
    let factor = dice.uniform(3.5..6.0);
    drawn(ServerlessEndpoint { max_concurrency: most, ..endpoint }, move |minute, now| {
        now.arrivals_per_minute = daily(minute, rate, 0.2) * (1.0 + (factor - 1.0) * progress(minute));
    })
}

fn quota(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(2.0..4.0);
    let (endpoint, rate) = site(dice, kind, mean);
    let limit = mean.ceil() as usize;
    drawn(endpoint, move |minute, now| {
        now.arrivals_per_minute = daily(minute, rate, 0.2);
        now.account_limit = (progress(minute) > 0.0).then_some(limit);
    })
}

fn after_idle(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.5..4.0);
    let (endpoint, rate) = site(dice, kind, mean);
    drawn(endpoint, move |minute, now| {
        let is_idle = (-400..-6).contains(&minute) || (-400..-6).contains(&(minute + 1_440));
        now.arrivals_per_minute = if is_idle { 0.0 } else { rate };
    })
}

fn scale_out(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.5..3.0);
    let (endpoint, rate) = lengthy(dice, kind, mean);
    let factor = dice.uniform(4.0..5.5);
    drawn(endpoint, move |minute, now| {
        now.arrivals_per_minute = if minute >= -4 { factor * rate } else { daily(minute, rate, 0.2) };
    })
}

/// Bursts come back after containers are gone.
fn spillover(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.5..3.0);
    let (endpoint, rate) = lengthy(dice, kind, mean);
    let endpoint = ServerlessEndpoint { keep_warm_seconds: dice.uniform(240.0..600.0), ..endpoint };
    let factor = dice.uniform(3.0..4.0);
    drawn(endpoint, move |minute, now| {
        now.provisioned = (2.0 * mean + 2.0).ceil() as usize;
        let is_burst = minute > -200 && minute.rem_euclid(20) >= 16;
        now.arrivals_per_minute = if is_burst { factor * rate } else { daily(minute, rate, 0.2) };
    })
}

/// Requests that take seconds, and room for many.
fn lengthy(dice: &mut Dice, kind: &Kind, concurrency: f64) -> (ServerlessEndpoint, f64) {
    let (endpoint, _) = site(dice, kind, concurrency);
    let service_seconds = dice.log_uniform(1.5..5.0);
    let endpoint = ServerlessEndpoint { service_seconds, max_concurrency: 60, ..endpoint };
    (endpoint, 60.0 * concurrency / service_seconds)
}

fn infrequent(dice: &mut Dice, kind: &Kind) -> Drawn {
    let (endpoint, _) = site(dice, kind, 1.0);
    let endpoint = ServerlessEndpoint { keep_warm_seconds: dice.uniform(60.0..150.0), ..endpoint };
    let every = dice.uniform(3.0..8.0);
    drawn(endpoint, move |_, now| {
        now.arrivals_per_minute = 1.0 / every;
        now.over_dispersion = 0.0;
    })
}

fn deployed(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.0..3.0);
    let (endpoint, rate) = site(dice, kind, mean);
    let factor = dice.uniform(2.4..3.5);
    Drawn {
        deployed_minutes_ago: Some(TROUBLE + 2),
        ..drawn(endpoint, move |minute, now| {
            now.arrivals_per_minute = rate;
            now.work_factor = 1.0 + (factor - 1.0) * progress(minute);
        })
    }
}

fn slower(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.0..3.0);
    let (endpoint, rate) = site(dice, kind, mean);
    let factor = dice.uniform(2.4..3.5);
    drawn(endpoint, move |minute, now| {
        now.arrivals_per_minute = rate;
        now.work_factor = 1.0 + (factor - 1.0) * progress(minute);
    })
}

/// Units that are enough until each is taken for longer.
fn slower_provisioned(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.0..3.0);
    let (endpoint, rate) = site(dice, kind, mean);
    let factor = dice.uniform(2.8..3.6);
    drawn(endpoint, move |minute, now| {
        now.provisioned = (2.0 * mean + 2.0).ceil() as usize;
        now.arrivals_per_minute = rate;
        now.work_factor = 1.0 + (factor - 1.0) * progress(minute);
    })
}

fn small_memory(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.0..3.0);
    let (endpoint, rate) = site(dice, kind, mean);
    let objective = dice.uniform(0.6..0.85);
    Drawn {
        objective,
        ..drawn(ServerlessEndpoint { memory_size_in_mb: 1_024, ..endpoint }, move |minute, now| {
            now.arrivals_per_minute = daily(minute, rate, 0.3);
        })
    }
}

fn memory(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.0..3.0);
    let (endpoint, rate) = site(dice, kind, mean);
    let factor = dice.uniform(2.0..3.0);
    drawn(endpoint, move |minute, now| {
        now.arrivals_per_minute = rate;
        now.memory = 0.6 + 0.37 * progress(minute);
        now.work_factor = 1.0 + (factor - 1.0) * progress(minute);
        now.error_5xx_share = 0.03 * progress(minute);
    })
}

fn model_errors(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.0..3.0);
    let (endpoint, rate) = site(dice, kind, mean);
    let share = dice.uniform(0.2..0.5);
    drawn(endpoint, move |minute, now| {
        now.arrivals_per_minute = rate;
        now.error_5xx_share = share * progress(minute);
    })
}

fn client_errors(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.0..3.0);
    let (endpoint, rate) = site(dice, kind, mean);
    let share = dice.uniform(0.2..0.5);
    drawn(endpoint, move |minute, now| {
        now.arrivals_per_minute = rate;
        now.error_4xx_share = share * progress(minute);
    })
}

fn overhead(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.0..3.0);
    let (endpoint, rate) = site(dice, kind, mean);
    let seconds = dice.uniform(1.5..3.0) * endpoint.service_seconds;
    drawn(endpoint, move |minute, now| {
        now.arrivals_per_minute = rate;
        now.overhead_seconds += seconds * progress(minute);
    })
}

fn tight(dice: &mut Dice, kind: &Kind) -> Drawn {
    let mean = dice.uniform(1.0..3.0);
    let (endpoint, rate) = site(dice, kind, mean);
    // The 90th percentile of a log-normal time.
    let deviation = (endpoint.service_cv * endpoint.service_cv).ln_1p().sqrt();
    let p90 = (1.281_6 * deviation - deviation * deviation / 2.0).exp();
    Drawn {
        objective: p90 * dice.uniform(0.97..1.03),
        ..drawn(endpoint, move |minute, now| now.arrivals_per_minute = daily(minute, rate, 0.3))
    }
}
