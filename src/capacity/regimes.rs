//! Stretches of history with the same work per request.
//!
//! A request that takes a tenth more work is slower at every load and saturates an instance a tenth earlier. Minutes of
//! both kinds in one curve make a curve that never was, so they are told apart first: latency is compared with what is
//! usual at its load, and the level of that is cut into pieces (PELT: the cheapest cut under a penalty for each piece).

use super::fit::{BEYOND, Fit, Task};
use super::points::{Bin, Point, bins};
use crate::model::Minute;
use crate::statistics::{median, quantile};

/// Other stretches are better only where they leave this much less unexplained.
const WORTH: f64 = 0.97;
/// How often the curve and the stretches are found again with each other's help.
const REFINEMENTS: usize = 3;
/// Loads compared with each other are in the same of so many groups.
const GROUPS: usize = 15;
/// Only minutes below this quantile of the load are compared: above it, waiting makes much of little, and an overload would
/// look like heavier work.
const CALM: f64 = 0.85;
/// Minutes of a block, whose median is one value.
const BLOCK_MINUTES: i64 = 15;
/// An hour is the shortest regime.
const LEAST_BLOCKS: usize = 4;
/// Closer levels cannot be told apart, and need not be.
const SAME_LEVEL: f64 = 0.06;
/// More regimes than this are drift, and cost the fit more than they give it.
const MOST_REGIMES: usize = 4;
/// Work per request differs by less than this factor from one regime to the next, or something else is the matter.
const MOST_WORK: f64 = 5.0;
/// Requests that take a quarter longer for up to three hours, and then as before, had something happen to them: that is
/// not how the endpoint works. Releases last longer, and an hour's drift is less.
const INCIDENT_WORK: f64 = 1.25;
const LONGEST_INCIDENT: i64 = 180;
/// Halvings when the work of a minute is looked for: to a thousandth.
const HALVINGS: usize = 12;

/// The first minute of each regime, oldest first; the first is that of the first point. `deployments` are minutes from
/// which on the work may be anything: there is always a boundary. `limit` is the objective in microseconds.
///
/// What is usual at a load is first the median of minutes like it, then what one curve through all regimes found so far
/// says. Loads that only one regime has seen look usual in themselves; a curve connects them with the others.
pub(super) fn boundaries(points: &[Point], deployments: &[Minute], limit: f64) -> Vec<Minute> {
    stretches(points, deployments, limit).1
}

/// The same, and what they leave unexplained: the mean deviation of minutes from their curve; infinite without one.
pub(super) fn stretches(points: &[Point], deployments: &[Minute], limit: f64) -> (f64, Vec<Minute>) {
    let seen = Seen::of(points);
    let mut starts = segmented(points, deployments, &blocks(&seen.calm, &|point| seen.usual_in_group(point)));
    let mut best = (f64::INFINITY, starts.clone());
    for _ in 0..=REFINEMENTS {
        let Some(fit) = seen.fit(&starts, limit) else { break };
        let unexplained = seen.unexplained(&starts, &fit);
        if unexplained < WORTH * best.0 {
            best = (unexplained, starts.clone());
        }
        let curved = |point: &Point| work_of(&fit, point.load, seen.latency(point), limit).ln();
        let refined = segmented(points, deployments, &blocks(&seen.calm, &curved));
        if refined == starts {
            break;
        }
        starts = refined;
    }
    best
}

/// The work per request with which the curve has this latency at this load. Near saturation a little more work makes
/// requests wait for long: there, latency itself would say that much had changed, and every rush hour would be a regime.
fn work_of(fit: &Fit, load: f64, latency: f64, limit: f64) -> f64 {
    let latency = latency.min(BEYOND * limit);
    let (mut low, mut high) = (-MOST_WORK.ln(), MOST_WORK.ln());
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        let work = middle.exp();
        if work * fit.latency(load * work) <= latency { low = middle } else { high = middle }
    }
    ((low + high) / 2.0).exp()
}

/// The work per request of each regime, the present one being 1, as median latency tells it: it hardly waits, and scatters
/// less than the objective's percentile. None where it was not read.
pub(super) fn works(points: &[Point], starts: &[Minute], limit: f64) -> Option<Vec<f64>> {
    let seen = Seen::of(points);
    (seen.has_middle && starts.len() > 1).then(|| seen.fit(starts, limit)).flatten().map(|fit| fit.work)
}

/// Past minutes in which requests took longer for a while than before and after it, at any load.
pub(super) fn incidents(points: &[Point], starts: &[Minute], limit: f64) -> Vec<(Minute, Minute)> {
    let seen = Seen::of(points);
    let Some(fit) = seen.fit(starts, limit) else { return Vec::new() };
    let work = |index: usize| fit.work.get(index).copied().unwrap_or(1.0);
    let mut found = Vec::new();
    for (index, pair) in starts.windows(2).enumerate().skip(1) {
        let [since, until] = pair else { continue };
        if until.since(*since) <= LONGEST_INCIDENT
            && work(index) > INCIDENT_WORK * work(index - 1)
            && work(index) > INCIDENT_WORK * work(index + 1)
        {
            found.push((*since, *until));
        }
    }
    let residual = |point: &Point| {
        work_of(&fit, point.load, seen.latency(point), limit).ln() - work(regime(starts, point.minute)).ln()
    };
    let blocks = blocks(&seen.calm, &residual);
    let last = points.last().map_or(Minute(0), |point| point.minute);
    let mut run: Vec<Minute> = Vec::new();
    for (since, level) in blocks.into_iter().chain([(last, 0.0)]) {
        if level > INCIDENT_WORK.ln() {
            run.push(since);
            continue;
        }
        if let (Some(from), Some(to)) = (run.first(), run.last())
            && to.since(*from) < LONGEST_INCIDENT
            && last.since(*to) > 60
        {
            found.push((*from, to.plus(BLOCK_MINUTES)));
        }
        run.clear();
    }
    found
}

/// Which regime a minute is in.
pub(super) fn regime(starts: &[Minute], minute: Minute) -> usize {
    starts.iter().filter(|start| **start <= minute).count().saturating_sub(1)
}

/// The boundaries that blocks of residuals show.
fn segmented(points: &[Point], deployments: &[Minute], blocks: &[(Minute, f64)]) -> Vec<Minute> {
    let Some(first) = points.first().map(|point| point.minute) else { return Vec::new() };
    let levels: Vec<f64> = blocks.iter().map(|(_, level)| *level).collect();
    let mut pieces: Vec<Piece> = cuts(&levels)
        .windows(2)
        .filter_map(|cut| {
            let [begin, end] = *cut else { return None };
            let piece = levels.get(begin..end)?;
            let since = if begin == 0 { first } else { blocks.get(begin)?.0 };
            Some(Piece { since, blocks: piece.len(), level: median(piece.iter().copied())? })
        })
        .collect();
    merge(&mut pieces);
    let mut starts: Vec<Minute> = pieces.iter().map(|piece| piece.since).collect();
    if starts.is_empty() {
        starts.push(first);
    }
    let last = points.last().map_or(first, |point| point.minute);
    for deployment in deployments.iter().filter(|minute| **minute > first && **minute <= last) {
        // A step that was found near a deployment is the deployment.
        starts.retain(|start| *start == first || start.since(*deployment).abs() > 2 * BLOCK_MINUTES);
        starts.push(*deployment);
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}

struct Piece {
    since: Minute,
    blocks: usize,
    level: f64,
}

/// The minutes that are compared, and what is usual among them.
struct Seen {
    calm: Vec<Point>,
    /// The median latency hardly waits, so it shows work best; where it was read for the last day only, the objective's
    /// statistic has to do.
    has_middle: bool,
    edges: Vec<f64>,
    usual: Vec<f64>,
}

impl Seen {
    fn of(points: &[Point]) -> Self {
        let known = points.iter().filter(|point| point.middle.is_some()).count();
        let has_middle = 10 * known >= 9 * points.len();
        let most = quantile(points.iter().map(|point| point.load), CALM).unwrap_or(f64::MAX);
        let counts = |point: &&Point| point.load <= most && (has_middle || point.is_counted);
        let calm: Vec<Point> = points.iter().filter(counts).copied().collect();
        let edges = (1..GROUPS)
            .filter_map(|group| {
                #[expect(clippy::cast_precision_loss, reason = "15 groups")]
                let share = group as f64 / GROUPS as f64;
                quantile(calm.iter().map(|point| point.load), share)
            })
            .collect();
        let mut seen = Self { calm, has_middle, edges, usual: Vec::new() };
        let mut groups: Vec<Vec<f64>> = vec![Vec::new(); GROUPS];
        for point in &seen.calm {
            if let Some(group) = groups.get_mut(seen.group(point)) {
                group.push(seen.latency(point).ln());
            }
        }
        seen.usual = groups.into_iter().map(|group| median(group).unwrap_or(f64::NAN)).collect();
        seen
    }

    fn latency(&self, point: &Point) -> f64 {
        if self.has_middle { point.middle.unwrap_or(f64::NAN) } else { point.latency }
    }

    fn group(&self, point: &Point) -> usize {
        self.edges.iter().filter(|edge| point.load > **edge).count()
    }

    /// One curve through these regimes.
    fn fit(&self, starts: &[Minute], limit: f64) -> Option<Fit> {
        let of_regime = |index: usize| -> Vec<Point> {
            self.calm.iter().filter(|point| regime(starts, point.minute) == index).copied().collect()
        };
        let bins: Vec<Vec<Bin>> =
            (0..starts.len()).map(|index| bins(&of_regime(index), |point| (point.load, self.latency(point)))).collect();
        Fit::of(&Task { regimes: &bins, limit, works: None, anchor: None })
    }

    /// How far minutes are from the curve of their regime: the mean deviation of the logarithm.
    fn unexplained(&self, starts: &[Minute], fit: &Fit) -> f64 {
        let deviations = self.calm.iter().map(|point| {
            let work = fit.work.get(regime(starts, point.minute)).copied().unwrap_or(1.0);
            (self.latency(point) / (work * fit.latency(point.load * work))).ln().abs()
        });
        #[expect(clippy::cast_precision_loss, reason = "minutes of a few weeks")]
        let count = self.calm.len().max(1) as f64;
        deviations.sum::<f64>() / count
    }

    fn usual_in_group(&self, point: &Point) -> f64 {
        self.latency(point).ln() - self.usual.get(self.group(point)).copied().unwrap_or(f64::NAN)
    }
}

/// Medians of a residual by blocks.
fn blocks(points: &[Point], residual: &dyn Fn(&Point) -> f64) -> Vec<(Minute, f64)> {
    let mut blocks: Vec<(Minute, Vec<f64>)> = Vec::new();
    for point in points {
        let start = Minute(point.minute.0.div_euclid(BLOCK_MINUTES) * BLOCK_MINUTES);
        let residual = residual(point);
        match blocks.last_mut() {
            Some((last, residuals)) if *last == start => residuals.push(residual),
            _ => blocks.push((start, vec![residual])),
        }
    }
    blocks.into_iter().filter_map(|(start, residuals)| Some((start, median(residuals)?))).collect()
}

/// Indices at which pieces begin, 0 first, and the length last: the cut with the least squares plus a penalty for each
/// piece.
fn cuts(levels: &[f64]) -> Vec<usize> {
    let count = levels.len();
    if count < 2 * LEAST_BLOCKS {
        return vec![0, count];
    }
    let steps = levels.windows(2).filter_map(|pair| if let [a, b] = pair { Some((b - a).abs()) } else { None });
    let scale = median(steps).unwrap_or(0.0) / 0.954 + 0.02;
    let mut sums = vec![(0.0, 0.0)];
    let mut total = (0.0, 0.0);
    for level in levels {
        let level = level / scale;
        total = (total.0 + level, total.1 + level * level);
        sums.push(total);
    }
    let cost = |begin: usize, end: usize| -> f64 {
        let (Some(from), Some(to)) = (sums.get(begin), sums.get(end)) else { return f64::INFINITY };
        #[expect(clippy::cast_precision_loss, reason = "blocks of a few days")]
        let length = (end - begin) as f64;
        (to.1 - from.1) - (to.0 - from.0).powi(2) / length
    };
    #[expect(clippy::cast_precision_loss, reason = "blocks of a few days")]
    let penalty = 4.0 * (count as f64).ln() + 6.0;
    // best[end] is the cost of the cheapest cut of the first `end` blocks, and where its last piece begins.
    let mut best = vec![(f64::INFINITY, 0_usize); count + 1];
    if let Some(start) = best.first_mut() {
        *start = (-penalty, 0);
    }
    let mut candidates = vec![0_usize];
    for end in LEAST_BLOCKS..=count {
        let costs: Vec<(usize, f64)> = candidates
            .iter()
            .map(|begin| (*begin, best.get(*begin).map_or(f64::INFINITY, |best| best.0) + cost(*begin, end)))
            .collect();
        let Some((begin, least)) = costs.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)) else { continue };
        if let Some(slot) = best.get_mut(end) {
            *slot = (least + penalty, begin);
        }
        candidates = costs.into_iter().filter(|(_, cost)| *cost <= least + penalty).map(|(begin, _)| begin).collect();
        if end + 1 >= 2 * LEAST_BLOCKS {
            candidates.push(end + 1 - LEAST_BLOCKS);
        }
    }
    let mut cuts = vec![count];
    let mut end = count;
    while end > 0 {
        let begin = best.get(end).map_or(0, |best| best.1);
        cuts.push(begin.min(end - 1));
        end = begin.min(end - 1);
    }
    cuts.reverse();
    cuts
}

/// Joins neighbours that are alike, then the most alike until few enough are left.
fn merge(pieces: &mut Vec<Piece>) {
    loop {
        let differences = pieces.windows(2).enumerate().filter_map(|(index, pair)| {
            let [a, b] = pair else { return None };
            Some((index, (a.level - b.level).abs()))
        });
        let Some((index, least)) = differences.min_by(|a, b| a.1.total_cmp(&b.1)) else { return };
        if least >= SAME_LEVEL && pieces.len() <= MOST_REGIMES {
            return;
        }
        let after = pieces.remove(index + 1);
        if let Some(before) = pieces.get_mut(index) {
            #[expect(clippy::cast_precision_loss, reason = "blocks of a few days")]
            let (a, b) = (before.blocks as f64, after.blocks as f64);
            before.level = (before.level * a + after.level * b) / (a + b);
            before.blocks += after.blocks;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two days with loads that repeat, and latency `work` times as high from minute 1,440 on.
    fn points(work: f64) -> Vec<Point> {
        (0..2_880)
            .map(|minute| {
                let load = 100.0 + f64::from(minute % 60) * 5.0;
                let noise = 1.0 + 0.05 * f64::from((minute * 7_919) % 101 - 50) / 50.0;
                let latency = 100e3 * noise * if minute >= 1_440 { work } else { 1.0 };
                Point {
                    minute: Minute(i64::from(minute)),
                    load,
                    counted: load,
                    latency,
                    middle: None,
                    instances: 1.0,
                    utilization: None,
                    is_counted: true,
                }
            })
            .collect()
    }

    #[test]
    fn a_step_of_work_is_found_where_it_was() {
        let found = boundaries(&points(1.3), &[], 500e3);
        assert_eq!(found.len(), 2);
        assert!((found[1].0 - 1_440).abs() <= 15, "{found:?}");
    }

    #[test]
    fn noise_is_not_a_step() {
        assert_eq!(boundaries(&points(1.0), &[], 500e3), [Minute(0)]);
    }

    /// An afternoon in which everything waited, whatever the load.
    #[test]
    fn an_incident_is_no_way_to_work() {
        let mut points = points(1.0);
        for point in points.iter_mut().filter(|point| (1_000..1_090).contains(&point.minute.0)) {
            point.latency *= 2.0;
        }
        let starts = boundaries(&points, &[], 500e3);
        let found = incidents(&points, &starts, 500e3);
        assert!(!found.is_empty());
        assert!(found.iter().all(|(since, until)| since.0 >= 985 && until.0 <= 1_105), "{found:?}");
        assert_eq!(incidents(&self::points(1.3), &[Minute(0), Minute(1_440)], 500e3), []);
    }

    #[test]
    fn a_deployment_is_a_boundary_whatever_latency_says() {
        assert_eq!(boundaries(&points(1.0), &[Minute(2_000)], 500e3), [Minute(0), Minute(2_000)]);
        assert_eq!(boundaries(&points(1.3), &[Minute(1_436)], 500e3), [Minute(0), Minute(1_436)]);
    }
}
