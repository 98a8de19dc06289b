//! Two weeks of traffic to an endpoint that needs a given number of instances.

use super::{Variant, seed};
use crate::suite::Set;
use crate::suite::dice::Dice;
use crate::suite::site::{Site, Wish};
use crate::{Burst, Cold, Conditions, Run};
use std::f64::consts::TAU;

const DAY: f64 = 1_440.0;
/// Minutes of two weeks.
const MINUTES: usize = 2 * 7 * 1_440;
/// How much of a minute's noise is still there in the next.
const NOISE_KEPT: f64 = 0.95;
/// Requests per minute that one instance carries, by how many instances are needed: with many of them each carries few,
/// so that weeks of requests can be simulated one by one.
const RATES: [(usize, f64, f64); 3] = [(2, 40.0, 110.0), (5, 25.0, 65.0), (usize::MAX, 15.0, 35.0)];
/// Share of minutes over the objective at half of the capacity, at most, and how many minutes are looked at.
const CALM_SHARE: f64 = 0.005;
const CALM_MINUTES: i64 = 1_000;
/// Mean work of a request, seconds.
const WORK: (f64, f64) = (0.05, 4.0);

/// A kind of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Days with a peak.
    Diurnal,
    /// Days with a peak, and quiet weekends.
    Weekly,
    /// Days with several peaks of 10 to 40 minutes at any time.
    Spiky,
    /// Days that grow by a fifth to two thirds in two weeks.
    Growth,
    /// Days whose minutes have bursts of twelve seconds.
    Bursts,
    /// Days with one or two crowds a week, three to five times the usual traffic within five minutes.
    FlashCrowds,
    /// About the same all the time.
    NearConstant,
    /// Days with a peak, of requests whose work wanders from hour to hour.
    WanderingWork,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Diurnal,
        Self::Weekly,
        Self::Spiky,
        Self::Growth,
        Self::Bursts,
        Self::FlashCrowds,
        Self::NearConstant,
        Self::WanderingWork,
    ];

    /// As `flash_crowds`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Diurnal => "diurnal",
            Self::Weekly => "weekly",
            Self::Spiky => "spiky",
            Self::Growth => "growth",
            Self::Bursts => "bursts",
            Self::FlashCrowds => "flash_crowds",
            Self::NearConstant => "near_constant",
            Self::WanderingWork => "wandering_work",
        }
    }
}

/// Two weeks of traffic to a variant.
#[derive(Debug, Clone)]
pub struct Workload {
    /// The variant.
    pub variant: Variant,
    /// Mean arrivals of each of two weeks' minutes.
    pub arrivals_per_minute: Vec<f64>,
    /// Work per request of each of those minutes, 1 being usual.
    pub work: Vec<f64>,
    /// Mean minutes from a scale-out until the new instances serve.
    pub provisioning_minutes: f64,
    /// For whatever else is drawn.
    pub seed: u64,
}

/// Traffic of a kind, for which `need` instances would be needed on average if each carried all that it can, to a variant
/// whose instances take `provisioning_minutes` to start.
///
/// `name` and `replicate` are the seed; `shape` stands for the kind's own where somebody has real traffic.
#[must_use]
pub fn workload(
    name: &str,
    kind: Option<Kind>,
    shape: Option<&[f64]>,
    need: usize,
    provisioning_minutes: f64,
    set: Set,
    replicate: u64,
) -> Workload {
    let mut dice = Dice::new(seed(name, set, replicate));
    let (_, least, most) = RATES.into_iter().find(|(up_to, _, _)| need <= *up_to).unwrap_or(RATES[2]);
    let burst = (kind == Some(Kind::Bursts)).then(|| Burst { seconds: 12.0, factor: dice.uniform(2.0..4.0) });
    let wish = Wish {
        instances: (need, need),
        level: (1.0, 1.0 + 1e-9),
        rates: Some((least * need as f64, most * need as f64)),
        work: Some(WORK),
        burst,
        ..Wish::default()
    };
    let site = loop {
        let site = Site::of_hours(&mut dice, set, &wish, 336);
        if is_kept_without_trouble(&site, dice.seed()) {
            break site;
        }
    };
    let cold = dice.chance(0.4).then(|| Cold { factor: dice.uniform(2.0..4.0), seconds: dice.uniform(60.0..150.0) });
    let variant = Variant::of(&site, cold);
    let shape = match (shape, kind) {
        (Some(shape), _) => shape.to_vec(),
        (None, Some(kind)) => drawn(kind, &mut dice),
        (None, None) => vec![1.0; MINUTES],
    };
    let mean = shape.iter().sum::<f64>() / shape.len() as f64;
    let scale = need as f64 * variant.capacity / mean;
    let seed = dice.seed();
    Workload {
        variant,
        arrivals_per_minute: shape.iter().map(|level| level * scale).collect(),
        work: if kind == Some(Kind::WanderingWork) { wandering(&mut dice) } else { vec![1.0; shape.len()] },
        provisioning_minutes,
        seed,
    }
}

/// Work per request of two weeks: it differs by 15 to 30 % and is another after three to twelve hours. Its mean is 1.
fn wandering(dice: &mut Dice) -> Vec<f64> {
    let spread = dice.uniform(0.15..0.3);
    let kept = (-1.0 / (60.0 * dice.uniform(3.0..12.0))).exp();
    let mut level = dice.normal();
    let work: Vec<f64> = (0..MINUTES)
        .map(|_| {
            level = kept * level + (1.0 - kept * kept).sqrt() * dice.normal();
            (spread * level).exp()
        })
        .collect();
    let mean = work.iter().sum::<f64>() / work.len() as f64;
    work.iter().map(|work| work / mean).collect()
}

/// Whether hardly any minute is over the objective at half of the capacity: with few requests a minute, the latency of some
/// endpoints differs so much from one minute to the next that nobody would have stated such an objective.
fn is_kept_without_trouble(site: &Site, seed: u64) -> bool {
    let arrivals_per_minute = site.full() / 2.0;
    let mut run = Run::new(site.endpoint, seed);
    let over = (0..CALM_MINUTES)
        .map(|minute| run.step(minute, &Conditions { arrivals_per_minute, ..site.usual }))
        .filter(|minute| minute.model_latency_us.quantile(site.quantile).is_some_and(|us| us > site.objective_us))
        .count();
    over as f64 <= CALM_SHARE * CALM_MINUTES as f64
}

/// Two weeks from a shorter shape, repeated on usual days: its minutes come one after the other, over and over.
#[must_use]
pub fn tiled(name: &str, shape: &[f64], set: Set, replicate: u64) -> Vec<f64> {
    let mut dice = Dice::new(seed(name, set, replicate));
    let mean = shape.iter().sum::<f64>() / shape.len() as f64;
    drawn(Kind::Diurnal, &mut dice).iter().zip(shape.iter().cycle()).map(|(day, level)| day * level / mean).collect()
}

/// A kind's two weeks, in any unit.
fn drawn(kind: Kind, dice: &mut Dice) -> Vec<f64> {
    let swing = match kind {
        Kind::NearConstant => dice.uniform(0.0..0.06),
        Kind::Spiky | Kind::FlashCrowds => dice.uniform(0.15..0.45),
        _ => dice.uniform(0.3..0.75),
    };
    // How much narrower the peak is than the trough.
    let sharpness = dice.uniform(1.0..2.0);
    let phase = dice.uniform(0.0..1.0);
    let second = if dice.chance(0.3) { dice.uniform(0.1..0.3) } else { 0.0 };
    let weekend = if kind == Kind::Weekly { dice.uniform(0.3..0.75) } else { 1.0 };
    let growth = if kind == Kind::Growth { dice.uniform(0.2..0.66) } else { 0.0 };
    let of_day: Vec<f64> = (0..15).map(|_| (0.04 * dice.normal()).exp()).collect();
    let spread = dice.uniform(0.02..0.05);
    let mut noise = 0.0;
    let mut levels: Vec<f64> = (0..MINUTES)
        .map(|minute| {
            noise = NOISE_KEPT * noise + spread * (1.0 - NOISE_KEPT * NOISE_KEPT).sqrt() * dice.normal();
            let time = minute as f64 / DAY;
            let wave = ((1.0 + (TAU * (time - phase)).cos()) / 2.0).powf(sharpness) * 2.0 - 1.0;
            let wave = wave + second * (2.0 * TAU * (time - phase)).cos();
            let week = if (time % 7.0) >= 5.0 { weekend } else { 1.0 };
            let day = of_day[time as usize] * (1.0 - time.fract()) + of_day[time as usize + 1] * time.fract();
            ((1.0 + swing * wave) * week * day * (1.0 + growth * time / 14.0) * (1.0 + noise)).max(0.02)
        })
        .collect();
    match kind {
        Kind::Spiky => spikes(&mut levels, dice),
        Kind::FlashCrowds => crowds(&mut levels, dice),
        _ => {}
    }
    levels
}

/// Two to six a day, 1.5 to 3 times the traffic of that hour, reached within two to six minutes.
fn spikes(levels: &mut [f64], dice: &mut Dice) {
    let each_day = dice.uniform(2.0..6.0);
    for _ in 0..(14.0 * each_day) as usize {
        let begin = dice.whole(0..=MINUTES - 1);
        let height = dice.uniform(0.5..2.0);
        let lasts = dice.minutes(10..=40) as usize;
        let rise = dice.uniform(2.0..6.0);
        for (since, level) in levels[begin..].iter_mut().take(lasts).enumerate() {
            let edge = ((since + 1) as f64 / rise).min((lasts - since) as f64 / rise).min(1.0);
            *level *= 1.0 + height * edge;
        }
    }
}

/// One or two a week, gone after an hour or two.
fn crowds(levels: &mut [f64], dice: &mut Dice) {
    for week in 0..2 {
        for _ in 0..dice.whole(1..=2) {
            let begin = week * MINUTES / 2 + dice.whole(0..=MINUTES / 2 - 1);
            let height = dice.uniform(2.0..4.0);
            let fades = dice.uniform(30.0..60.0);
            for (since, level) in levels[begin..].iter_mut().take(240).enumerate() {
                let risen = ((since + 1) as f64 / 5.0).min(1.0);
                *level *= 1.0 + height * risen * (-(since as f64) / fades).exp();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_needs_what_was_asked_for() {
        for (kind, need) in [(Kind::Diurnal, 2), (Kind::Bursts, 5)] {
            let of = |replicate| workload(kind.name(), Some(kind), None, need, 5.0, Set::Development, replicate);
            let drawn = of(1);
            let arrivals = &drawn.arrivals_per_minute;
            assert_eq!(arrivals.len(), MINUTES);
            let mean = arrivals.iter().sum::<f64>() / arrivals.len() as f64;
            assert!((mean / drawn.variant.capacity / need as f64 - 1.0).abs() < 1e-9);
            assert!(drawn.variant.capacity < drawn.variant.saturation);
            assert_eq!(format!("{drawn:?}"), format!("{:?}", of(1)));
            assert_ne!(format!("{drawn:?}"), format!("{:?}", of(2)));
        }
    }

    #[test]
    fn kinds_are_what_their_names_say() {
        let of = |kind, seed| drawn(kind, &mut Dice::new(seed));
        let mean = |levels: &[f64]| levels.iter().sum::<f64>() / levels.len() as f64;
        let most = |levels: &[f64]| levels.iter().copied().fold(0.0, f64::max);
        for seed in 0..8 {
            let growth = of(Kind::Growth, seed);
            assert!(mean(&growth[MINUTES / 2..]) > 1.05 * mean(&growth[..MINUTES / 2]));
            let flat = of(Kind::NearConstant, seed);
            assert!(most(&flat) < 1.5 * mean(&flat));
            let crowds = of(Kind::FlashCrowds, seed);
            assert!(most(&crowds) > 2.0 * mean(&crowds));
            let weekly = of(Kind::Weekly, seed);
            assert!(mean(&weekly[5 * 1_440..7 * 1_440]) < 0.9 * mean(&weekly[..5 * 1_440]));
        }
    }
}
