//! How much of the hardware is in use, and how much of it one request takes.

use super::fact;
use crate::diagnose::check::{Check, MISSING, NOT_EXCLUDED};
use crate::diagnose::windows::{Windows, load_of, positive};
use crate::model::{Fact, MinuteRow, Utilization};
use crate::statistics::{median, quantile, theil_sen_intercept};

/// Work per request that moved less than this is flat: measured utilisation varies by about a tenth by itself.
const SAME_WORK: f64 = 1.18;
/// Where a deployment came just before, this is a rise.
const LITTLE_MORE_WORK: f64 = 1.09;
/// Utilisation beyond idling below this is noise, and says nothing of work.
const LEAST_BUSY: f64 = 0.015;
/// More than this is not idling.
const MOST_IDLE: f64 = 0.10;
/// At 92 % over a whole minute hardware has nothing left for a burst.
const SATURATED: f64 = 0.92;
/// Above this there is hardly a pause left in a minute.
const FULL: f64 = 0.80;
/// Below this, hardware has room for half as much again.
const SPARE: f64 = 0.65;
/// Where loads differ by half or more, utilisation has to differ by a tenth of that to say anything of work.
const LOADS_APART: f64 = 1.5;
const LEAST_ELASTICITY: f64 = 0.1;
/// Fewer minutes with utilisation make no line.
const ENOUGH_MINUTES: usize = 10;

/// Work per request: utilisation beyond idle, divided by load.
pub(in crate::diagnose) struct Work {
    /// Against the same load, of the resource on which it rose most.
    pub ratio: Option<f64>,
    /// The same on the least busy instance.
    pub least_ratio: Option<f64>,
    /// Share of the busiest resource in use now, averaged over instances.
    pub busy: Option<f64>,
    /// Its 95th percentile in normal minutes.
    pub usual_busy: Option<f64>,
    /// Utilisation of the busiest resource against the hour before the incident.
    pub busy_change: Option<f64>,
    /// Whether `busy` is a true share: the instance's cores are known.
    pub is_normalised: bool,
    resource: &'static str,
}

impl Work {
    pub(super) fn measure(windows: &Windows) -> Self {
        // Where a GPU does the work and does not show, the cores say nothing of how busy the hardware is.
        let shows_gpu = windows.now(|row| row.gpu.average).is_some();
        let variant = &windows.observation.variant;
        let is_normalised = match &windows.observation.component {
            // A copy's utilisation is published as a share of what it was given.
            Some(component) => shows_gpu || component.accelerators.is_none_or(|gpus| gpus <= 0.0),
            None => variant.vcpus().is_some() && (shows_gpu || variant.gpus() == Some(0.0)),
        };
        let resources = [Resource::new("CPU", |row| row.cpu), Resource::new("GPU", |row| row.gpu)];
        let busiest = resources
            .iter()
            .filter_map(|resource| Some((resource, windows.now(|row| (resource.of)(row).average)?)))
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        let work =
            resources.iter().filter_map(|resource| resource.work(windows)).max_by(|a, b| a.ratio.total_cmp(&b.ratio));
        Self {
            ratio: work.as_ref().map(|work| work.ratio),
            least_ratio: work.as_ref().and_then(|work| work.least_ratio),
            busy: busiest.map(|(_, busy)| busy),
            usual_busy: busiest.and_then(|(resource, _)| {
                quantile(windows.normal.iter().filter_map(|row| (resource.of)(row).average), 0.95)
            }),
            busy_change: busiest.and_then(|(resource, _)| windows.change(|row| (resource.of)(row).average)),
            is_normalised,
            resource: busiest.map_or("CPU", |(resource, _)| resource.name),
        }
    }

    /// The share of the hardware in use, where its size is known.
    pub fn known_busy(&self) -> Option<f64> {
        self.busy.filter(|_| self.is_normalised)
    }

    /// `work per request is 1.85 times normal`.
    pub fn in_words(&self) -> String {
        match self.ratio {
            Some(work) if !(0.9..=1.1).contains(&work) => format!("work per request is {work:.2} times normal"),
            Some(work) => format!("work per request is as before ({work:.2} times normal)"),
            None => "work per request is not known: CPUUtilization and GPUUtilization have no datapoints".to_owned(),
        }
    }

    /// `the CPU is 97 % in use`.
    pub fn busy_in_words(&self) -> String {
        match self.busy {
            Some(busy) => format!("the busiest of CPU and GPU is {:.0} % in use ({})", 100.0 * busy, self.resource),
            None => "CPUUtilization and GPUUtilization have no datapoints".to_owned(),
        }
    }

    /// `utilisation is 0.12 times that of the hour before`.
    pub fn busy_change_in_words(&self) -> String {
        match self.busy_change {
            Some(change) => format!("utilisation is {change:.2} times that of the hour before"),
            None => "CPUUtilization and GPUUtilization have no datapoints".to_owned(),
        }
    }

    /// The hardware does less than before while half of the requests take far longer: they wait in it, and hardly
    /// anything
    /// gets done.
    pub fn has_fallen(&self) -> Check {
        Check::below("utilization_change", self.busy_change, 0.87, 0.1, self.busy_change_in_words())
    }

    /// The hardware does no more than before.
    pub fn has_not_risen(&self) -> Check {
        Check::below("utilization_change", self.busy_change, 1.06, 0.1, self.busy_change_in_words())
    }

    /// The hardware does at least what it did before; where it always shows as busy, that is all it can show.
    pub fn has_not_fallen(&self) -> Check {
        Check::above("utilization_change", self.busy_change, 0.88, 0.1, self.busy_change_in_words()).or_if_missing(1.0)
    }

    /// It does nearly what it did before.
    pub fn has_hardly_fallen(&self) -> Check {
        Check::above("utilization_change", self.busy_change, 0.8, 0.08, self.busy_change_in_words()).or_if_missing(1.0)
    }

    /// Each request takes more work than before.
    pub fn has_risen(&self) -> Check {
        Check::above("work_per_request", self.ratio, SAME_WORK, 0.2, self.in_words())
    }

    /// The same where something else says that it should have.
    pub fn has_risen_a_little(&self) -> Check {
        Check::above("work_per_request", self.ratio, LITTLE_MORE_WORK, 0.15, self.in_words())
    }

    /// Each request takes the work that it took before.
    pub fn is_flat(&self) -> Check {
        Check::below("work_per_request", self.ratio, SAME_WORK, 0.15, self.in_words())
    }

    /// The same where something else says that it should have risen.
    pub fn is_quite_flat(&self) -> Check {
        Check::below("work_per_request", self.ratio, LITTLE_MORE_WORK, 0.1, self.in_words())
    }

    /// `work per request on the least busy instance is 1.03 times normal`.
    pub fn least_in_words(&self) -> String {
        match self.least_ratio {
            Some(ratio) => format!("work per request on the least busy instance is {ratio:.2} times normal"),
            None => "the least busy instance is not known: the Minimum of utilisation has no datapoints".to_owned(),
        }
    }

    /// Even on the least busy instance each request takes more work: it is not one instance.
    pub fn has_risen_everywhere(&self) -> Check {
        Check::above("work_on_least_busy_instance", self.least_ratio, 1.1, 0.12, self.least_in_words())
            .or_if_missing(NOT_EXCLUDED)
    }

    /// On the least busy instance a request takes the work that it took before.
    pub fn is_flat_on_least_busy(&self) -> Check {
        Check::below("work_on_least_busy_instance", self.least_ratio, 1.22, 0.12, self.least_in_words())
            .or_if_missing(NOT_EXCLUDED)
    }

    /// The hardware can do no more, and does more than it usually had to: requests wait for it, not for something else.
    pub fn is_saturated(&self) -> Check {
        Check::above("utilization", self.saturation(), 0.0, 1.0, self.busy_in_words()).share(SATURATED)
    }

    /// There is hardly hardware to spare.
    pub fn is_busy(&self) -> Check {
        Check::above("utilization", self.known_busy(), SPARE, 0.15, self.busy_in_words()).share(SPARE)
    }

    /// Over a whole minute the hardware is not in use all the time.
    pub fn is_not_full(&self) -> Check {
        Check::below("utilization", self.known_busy(), FULL, 0.08, self.busy_in_words()).share(FULL)
    }

    /// It is in use nearly all the time.
    pub fn is_full(&self) -> Check {
        Check::above("utilization", self.known_busy(), FULL, 0.08, self.busy_in_words()).share(FULL)
    }

    /// There is hardware to spare: at a usual load, what queues does not queue for it.
    pub fn is_not_busy(&self) -> Check {
        Check::below("utilization", self.known_busy(), SPARE, 0.15, self.busy_in_words()).share(SPARE)
    }

    /// The hardware is not what requests wait for.
    pub fn is_not_saturated(&self) -> Check {
        Check::below("utilization", self.saturation(), 0.0, 1.0, self.busy_in_words())
            .share(SATURATED)
            .or_if_missing(1.0)
    }

    /// Positive above saturation and above what is usual (some GPUs always show as busy), in units of a clear
    /// difference.
    fn saturation(&self) -> Option<f64> {
        let busy = self.known_busy()?;
        let usual = self.usual_busy.unwrap_or(0.0);
        Some(((busy - SATURATED) / 0.04).min((busy - usual - 0.02) / 0.04))
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let mut facts = vec![fact("work_per_request", self.ratio, Some(1.0), "ratio", self.in_words())];
        if let Some(busy) = self.known_busy() {
            facts.push(fact("utilization", Some(busy), self.usual_busy, "share", self.busy_in_words()));
        }
        facts
    }
}

/// Something that requests use.
struct Resource {
    name: &'static str,
    of: fn(&MinuteRow) -> Utilization,
}

struct WorkRatio {
    ratio: f64,
    least_ratio: Option<f64>,
}

impl Resource {
    fn new(name: &'static str, of: fn(&MinuteRow) -> Utilization) -> Self {
        Self { name, of }
    }

    /// Work per request now over that of the same load; none where the resource was hardly used. The idle share is the
    /// intercept of utilisation over load.
    fn work(&self, windows: &Windows) -> Option<WorkRatio> {
        let point = |row: &&MinuteRow| Some((load_of(row)?, (self.of)(row).average?));
        let points: Vec<(f64, f64)> = windows.normal.iter().filter_map(point).collect();
        if points.len() < ENOUGH_MINUTES {
            return None;
        }
        if !follows_load(&points) {
            return None;
        }
        let idle = theil_sen_intercept(&points).unwrap_or(0.0).clamp(0.0, MOST_IDLE);
        let beyond_idle = |rows: &[&MinuteRow], value: fn(Utilization) -> Option<f64>| {
            median(rows.iter().filter_map(|row| Some(value((self.of)(row))? - idle)))
        };
        if beyond_idle(&windows.matched, |used| used.average)? < LEAST_BUSY {
            return None;
        }
        let ratio = |value: fn(Utilization) -> Option<f64>| {
            let work = |rows: &[&MinuteRow]| {
                median(rows.iter().filter_map(|row| Some((value((self.of)(row))? - idle) / positive(load_of(row)?)?)))
            };
            Some(work(&windows.incident)? / positive(work(&windows.matched)?)?)
        };
        Some(WorkRatio { ratio: ratio(|used| used.average)?, least_ratio: ratio(|used| used.minimum) })
    }
}

/// Whether utilisation says anything of work: a gauge that shows as full at any load (some GPUs do) does not move with it.
/// Compares the median of the busiest fifth of the minutes with that of the quietest.
fn follows_load(points: &[(f64, f64)]) -> bool {
    let edge = |share| quantile(points.iter().map(|(load, _)| *load), share);
    let (Some(low), Some(high)) = (edge(0.2), edge(0.8)) else { return false };
    let of = |part: &dyn Fn(f64) -> bool, value: fn(&(f64, f64)) -> f64| {
        median(points.iter().filter(|(load, _)| part(*load)).map(value))
    };
    let ratio = |value: fn(&(f64, f64)) -> f64| {
        Some(of(&|load| load >= high, value)? / positive(of(&|load| load <= low, value)?)?)
    };
    let (Some(load), Some(used)) = (ratio(|(load, _)| *load), ratio(|(_, used)| *used)) else { return true };
    // Loads that hardly differ tell nothing about it.
    load < LOADS_APART || (used - 1.0) > LEAST_ELASTICITY * (load - 1.0)
}

/// The margin at which a rise of work outweighs a rise of load, and the other way round.
pub(in crate::diagnose) fn outweighs(work: Option<f64>, load: f64) -> f64 {
    work.filter(|work| *work > 0.0 && load > 0.0).map_or(MISSING, |work| (work / load).ln() / 0.15)
}
