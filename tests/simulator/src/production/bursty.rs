//! Endpoints whose requests come in bursts, and how many instances absorb them: what headroom is measured with.

use super::{Variant, seed};
use crate::suite::Set;
use crate::suite::dice::Dice;
use crate::suite::path::{Day, Path};
use crate::suite::site::{Site, Wish};
use crate::{Burst, Conditions, Degradation, Minute, Published, Run, published};

/// Minutes in a row over the objective that raise the alarm, from when on it must have fired, and how long after it the
/// window ends.
const ALARM_MINUTES: usize = 3;
const LONGEST: i64 = 25;
const PATIENCE: i64 = 3;
/// Minutes after a herd in which it is looked at.
const AFTER_HERD: i64 = 4;
/// Minutes of a judgement, and herds in it.
const JUDGED_MINUTES: i64 = 60;
const JUDGED_HERDS: i64 = 20;
/// Share of the minutes that come in bursts which have to be within the objective.
const KEPT: f64 = 0.9;
/// Share of the requests that may be refused.
const MOST_REFUSED: f64 = 0.02;
/// More instances than this absorb no burst that is asked about.
const MOST_INSTANCES: usize = 200;

/// How requests come.
#[derive(Debug, Clone, Copy)]
pub enum Coming {
    /// In every minute, since a while ago, a part of them within some seconds.
    Within(Burst),
    /// At the same minute of every hour so many times as many as in the others, since ever.
    Hourly(f64),
}

/// An endpoint whose requests come in bursts.
#[derive(Debug, Clone)]
pub struct Bursty {
    /// The variant.
    pub variant: Variant,
    /// How its requests come.
    pub coming: Coming,
    /// Hours of history.
    pub hours: i64,
    /// Instances in service.
    pub instances: usize,
    /// Arrivals in a minute on the whole variant, without an hourly herd.
    pub rate: f64,
    /// Minutes since an alarm fired.
    pub minutes_since_alarm: i64,
    /// What CloudWatch would answer: one value a minute.
    pub series: Vec<Published>,
    seed: u64,
}

/// One that is drawn by its number in a set.
#[must_use]
pub fn bursty(set: Set, replicate: u64) -> Bursty {
    let mut dice = Dice::new(seed("bursty", set, replicate));
    let is_hourly = replicate % 4 == 3;
    loop {
        let drawn = if is_hourly { hourly(&mut dice, set) } else { within(&mut dice, set) };
        if let Some(bursty) = drawn {
            return bursty;
        }
    }
}

/// None where no alarm fires.
fn within(dice: &mut Dice, set: Set) -> Option<Bursty> {
    let site = Site::draw(dice, set, &Wish { level: (0.25, 0.75), hours: (3, 72), ..Wish::default() });
    // From everybody at once to a third of the minute, with a tenth to most of its requests.
    let seconds = dice.log_uniform(1.0..20.0);
    let share = dice.uniform(0.15..0.85);
    let burst = Burst { seconds, factor: share * (60.0 - seconds) / (seconds * (1.0 - share)) };
    let day = Day::any(dice);
    let path = Path::draw(dice, site.minutes(), LONGEST + PATIENCE, site.level, day);
    let conditions = |minute: i64| Conditions {
        arrivals_per_minute: path.at(minute) * site.full(),
        burst: (minute >= 0).then_some(burst).or(site.usual.burst),
        ..site.usual
    };
    let mut run = Run::new(site.endpoint, dice.seed());
    let mut minutes: Vec<Minute> =
        (-site.minutes()..LONGEST + PATIENCE).map(|minute| run.step(minute, &conditions(minute))).collect();
    let mut over = 0;
    let trouble = minutes.iter().filter(|minute| minute.minute >= 0).position(|minute| {
        over = if is_over(&site, minute) { over + 1 } else { 0 };
        over == ALARM_MINUTES
    })? as i64;
    let end = trouble + 1 + PATIENCE;
    minutes.retain(|minute| minute.minute < end);
    let last = path.at(end - 1) * site.full();
    Some(seen(dice, &site, Coming::Within(burst), last, PATIENCE, &minutes))
}

/// None where the last herd keeps the objective.
fn hourly(dice: &mut Dice, set: Set) -> Option<Bursty> {
    let wish = Wish { level: (0.05, 0.3), rates: Some((15.0, 120.0)), hours: (6, 72), ..Wish::default() };
    let site = Site::draw(dice, set, &wish);
    let factor = dice.uniform(1.3..4.0) / site.level;
    let path = Path::draw(dice, site.minutes(), AFTER_HERD, site.level, Day::flat());
    let mut run = Run::new(site.endpoint, dice.seed());
    let minutes: Vec<Minute> = (-site.minutes()..AFTER_HERD)
        .map(|minute| {
            let herd = if minute.rem_euclid(60) == 0 { factor } else { 1.0 };
            run.step(minute, &Conditions { arrivals_per_minute: path.at(minute) * site.full() * herd, ..site.usual })
        })
        .collect();
    minutes.iter().find(|minute| minute.minute == 0).filter(|minute| is_over(&site, minute))?;
    Some(seen(dice, &site, Coming::Hourly(factor), site.level * site.full(), AFTER_HERD, &minutes))
}

fn is_over(site: &Site, minute: &Minute) -> bool {
    minute.model_latency_us.quantile(site.quantile).is_some_and(|latency| latency > site.objective_us)
}

/// What there is to see of it.
fn seen(
    dice: &mut Dice,
    site: &Site,
    coming: Coming,
    rate: f64,
    minutes_since_alarm: i64,
    played: &[Minute],
) -> Bursty {
    let mut series = published(played);
    let without = if dice.chance(0.05) { vec!["ConcurrentRequestsPerModel"] } else { Vec::new() };
    let missing_share = dice.uniform(0.0..0.03);
    Degradation { lag_minutes: 2, missing_share, utilization_noise: 0.02, without }.apply(&mut series, dice.seed());
    Bursty {
        variant: Variant::of(site, None),
        coming,
        hours: site.hours,
        instances: site.instances,
        rate,
        minutes_since_alarm,
        series,
        seed: dice.seed(),
    }
}

impl Bursty {
    /// Whether so many instances keep the objective in nine of ten minutes that come in bursts, one request after the
    /// other.
    #[must_use]
    pub fn is_absorbed_by(&self, instances: usize) -> bool {
        let usual = Conditions { arrivals_per_minute: self.rate, instances, ..self.variant.usual };
        let mut run = Run::new(self.variant.endpoint, self.seed);
        let mut judged = Vec::new();
        match self.coming {
            Coming::Within(burst) => {
                let bursting = Conditions { burst: Some(burst), ..usual };
                (-2..0).for_each(|minute| drop(run.step(minute, &usual)));
                judged.extend((0..JUDGED_MINUTES).map(|minute| run.step(minute, &bursting)));
            }
            Coming::Hourly(factor) => {
                let herd = Conditions { arrivals_per_minute: factor * self.rate, ..usual };
                for number in 0..JUDGED_HERDS {
                    // The rest of the hour is long enough to work off what a herd leaves.
                    (1..6).for_each(|minute| drop(run.step(60 * number - minute, &usual)));
                    judged.push(run.step(60 * number, &herd));
                }
            }
        }
        let is_kept = |minute: &&Minute| {
            let latency = minute.model_latency_us.quantile(self.variant.quantile);
            let is_within = latency.is_none_or(|latency| latency <= self.variant.objective_us);
            // What is refused at once is fast.
            is_within && minute.errors_5xx as f64 <= MOST_REFUSED * minute.invocations as f64
        };
        judged.iter().filter(is_kept).count() as f64 >= KEPT * judged.len() as f64
    }

    /// The fewest instances that absorb the bursts, by trying; none where none do.
    #[must_use]
    pub fn fewest(&self) -> Option<usize> {
        (1..=MOST_INSTANCES).find(|instances| self.is_absorbed_by(*instances))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_gives_the_same_endpoint() {
        let of = |replicate| format!("{:?}", bursty(Set::Development, replicate));
        assert_eq!(of(0), of(0));
        assert_ne!(of(0), of(1));
    }

    #[test]
    fn more_instances_than_there_are_absorb_the_bursts() {
        for replicate in 0..8 {
            let bursty = bursty(Set::Development, replicate);
            let fewest = bursty.fewest().unwrap();
            assert!(fewest >= bursty.instances && !bursty.is_absorbed_by(fewest - 1), "{replicate}: {fewest}");
        }
    }
}
