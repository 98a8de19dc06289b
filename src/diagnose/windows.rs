//! Which minutes are the incident, and which are normal.

use crate::model::{History, LatencyObjective, Microseconds, Minute, MinuteRow, Observation, Statistic};
use crate::statistics::{median, quantile};

/// Minutes with fewer requests say little about latency, and two of them next to each other nothing.
pub(super) const ENOUGH_INVOCATIONS: f64 = 20.0;
/// An hour of normal minutes: enough to know what is normal at this load, and what remains of three hours of history
/// once
/// an incident that came slowly is taken away.
const BASELINE_MINUTES: usize = 60;
/// With less than an hour and a half of normal minutes nothing is graded high.
const CERTAIN_BASELINE_MINUTES: usize = 90;
/// Three minutes are what a usual alarm needs too.
const INCIDENT_MINUTES: usize = 3;
/// Where single minutes are missing, fewer are judged, with less certainty.
const FEWEST_MINUTES: usize = 2;
/// The incident is judged by its last minutes: earlier ones mix the rise with the plateau.
const WINDOW: usize = 5;
/// Metrics arrive one to three minutes late; where nothing came for this long, there is nothing to judge.
const STALE_MINUTES: i64 = 10;
/// An incident that began earlier has become the normal state, and is told from the objective instead.
const LONGEST_INCIDENT_MINUTES: i64 = 360;
/// Loads within 15 % of each other are the same load (|ln| below this).
const SAME_LOAD: f64 = 0.15;
/// Fewer matched minutes than this are chance.
const MATCHED_MINUTES: usize = 10;

/// The minutes of one incident, and those that it is held against.
pub(super) struct Windows<'a> {
    pub observation: &'a Observation,
    pub history: &'a History,
    /// First minute of the incident.
    pub onset: Minute,
    /// Last minute of it that was observed.
    pub end: Minute,
    pub slow: Slow,
    /// The incident's last minutes.
    pub incident: Vec<&'a MinuteRow>,
    /// Every judged minute before the incident.
    pub earlier: Vec<(Minute, &'a MinuteRow)>,
    /// Those of them outside earlier incidents.
    pub normal: Vec<&'a MinuteRow>,
    /// Those of them with the incident's load per instance; where it was never carried, the busiest.
    pub matched: Vec<&'a MinuteRow>,
    /// Whether it was never carried.
    pub is_extrapolated: bool,
    /// Median load per instance of the incident.
    pub load: f64,
}

impl<'a> Windows<'a> {
    /// Finds the incident at the end of the observation.
    ///
    /// # Errors
    /// What is missing, in words, where there is not enough to judge.
    pub fn of(observation: &'a Observation, history: &'a History) -> Result<Self, Vec<String>> {
        let missing = missing_metrics(history, observation);
        if !missing.is_empty() {
            return Err(missing);
        }
        let last = observation.last_minute();
        let judged: Vec<(Minute, &MinuteRow)> = history
            .before(last.plus(1))
            .filter(|(_, row)| row.latency.is_some() && row.load.is_some() && row.has_invocations(ENOUGH_INVOCATIONS))
            .collect();
        let Some((end, _)) = judged.last().copied().filter(|(end, _)| last.since(*end) <= STALE_MINUTES) else {
            return Err(vec![format!(
                "no minute of the last {STALE_MINUTES} had {ENOUGH_INVOCATIONS} invocations and a latency"
            )]);
        };
        let slow = Slow::of(&judged, end, observation.objective);
        let onset = onset(&judged, end, &slow);
        // The last five minutes that were judged, of the last eight: single minutes are missing now and then.
        let last_judged: Vec<_> =
            judged.iter().rev().take(WINDOW).filter(|(minute, _)| *minute > end.plus(-8)).collect();
        let latest = || last_judged.iter().rev();
        // One minute of elevated latency is followed by more, or it was a blip; then the last minutes are judged. Two in
        // which latency was bad, with the others missing, say more by themselves than mixed with minutes from before.
        let since_onset: Vec<&MinuteRow> =
            latest().filter(|(minute, _)| *minute >= onset).map(|(_, row)| *row).collect();
        let is_bad = |row: &&MinuteRow| row.latency.is_some_and(|latency| slow.is_bad(latency));
        let is_long_enough = i64::try_from(INCIDENT_MINUTES).is_ok_and(|minutes| last.since(onset) + 1 >= minutes);
        let are_bad = is_long_enough && since_onset.len() >= FEWEST_MINUTES && since_onset.iter().all(is_bad);
        let incident: Vec<&MinuteRow> = if since_onset.len() >= INCIDENT_MINUTES || are_bad {
            since_onset
        } else {
            latest().map(|(_, row)| *row).collect()
        };
        let earlier: Vec<(Minute, &MinuteRow)> =
            judged.iter().copied().filter(|(minute, _)| *minute < onset.plus(-3)).collect();
        // A minute of failing requests is no measure of what the endpoint carries.
        let sound: Vec<(Minute, &MinuteRow)> =
            earlier.iter().copied().filter(|(_, row)| row.has_few_errors()).collect();
        let normal = without_incidents(&sound, &slow);
        let normal =
            if normal.len() < BASELINE_MINUTES { earlier.iter().map(|(_, row)| *row).collect() } else { normal };
        if incident.len() < FEWEST_MINUTES || normal.len() < BASELINE_MINUTES {
            return Err(vec![format!(
                "{} minutes with at least {ENOUGH_INVOCATIONS} invocations before the incident and {} in it; \
                 {BASELINE_MINUTES} and {FEWEST_MINUTES} are needed",
                normal.len(),
                incident.len()
            )]);
        }
        let load = middle(&incident, load_of).filter(|load| *load > 0.0);
        let Some(load) = load else { return Err(vec!["InvocationsPerInstance in the incident".to_owned()]) };
        let (matched, is_extrapolated) = matched(&normal, load);
        Ok(Self { observation, history, onset, end, slow, incident, earlier, normal, matched, is_extrapolated, load })
    }

    /// Median of the incident over the median of matched minutes.
    pub fn ratio(&self, value: impl Fn(&MinuteRow) -> Option<f64>) -> Option<f64> {
        Some(middle(&self.incident, &value)? / positive(middle(&self.matched, &value)?)?)
    }

    /// Median of the incident.
    pub fn now(&self, value: impl Fn(&MinuteRow) -> Option<f64>) -> Option<f64> {
        middle(&self.incident, value)
    }

    /// The worse latency of the last two minutes, where both are back to normal: it is over.
    pub fn recovered(&self) -> Option<f64> {
        let last = self.observation.last_minute();
        let latencies = self.history.between(self.end.plus(-1), last).filter_map(|(_, row)| row.latency);
        let last: Vec<Microseconds> = latencies.rev().take(2).collect();
        let usual = self.usually(latency_of)?;
        let calm = usual + 0.2 * (self.slow.limit.0 - usual).max(0.1 * usual);
        let is_calm = last.len() == 2 && last.iter().all(|latency| latency.0 <= calm);
        last.iter().map(|latency| latency.0).max_by(f64::total_cmp).filter(|_| is_calm)
    }

    /// The minutes that the incident is judged by: its last five; where it is younger than three, some from before it.
    pub fn last_minutes(&self) -> impl Iterator<Item = Minute> {
        let last: i64 = 5;
        let age = self.end.since(self.onset) + 1;
        let count = if age < 3 { last } else { age.min(last) };
        (0..count).map(|back| self.end.plus(-back))
    }

    /// The last two minutes that were judged.
    pub fn latest(&self) -> Vec<&'a MinuteRow> {
        self.incident.iter().rev().take(2).copied().collect()
    }

    /// The highest latency of the last ten minutes.
    pub fn peak(&self) -> Option<f64> {
        let last = self.observation.last_minute();
        self.history.between(last.plus(-9), last).filter_map(|(_, row)| latency_of(row)).max_by(f64::total_cmp)
    }

    /// Median of matched minutes.
    pub fn usually(&self, value: impl Fn(&MinuteRow) -> Option<f64>) -> Option<f64> {
        middle(&self.matched, value)
    }

    /// Median of the incident over the median of the hour before it.
    pub fn change(&self, value: impl Fn(&MinuteRow) -> Option<f64>) -> Option<f64> {
        let hour: Vec<&MinuteRow> =
            self.history.between(self.onset.plus(-63), self.onset.plus(-4)).map(|(_, row)| row).collect();
        Some(middle(&self.incident, &value)? / positive(middle(&hour, &value)?)?)
    }

    /// The statistic in which latency is judged.
    pub fn statistic(&self) -> Statistic {
        self.observation.objective.map_or(Statistic::P90, |objective| objective.slo_statistic)
    }

    /// Whether there are so few normal minutes, or so few of the incident, that nothing is certain.
    pub fn is_short(&self) -> bool {
        self.normal.len() < CERTAIN_BASELINE_MINUTES || self.incident.len() < INCIDENT_MINUTES
    }
}

/// When latency counts as elevated.
pub(super) struct Slow {
    pub normal: Microseconds,
    /// Above this a minute is elevated: something began.
    threshold: f64,
    /// Above this a minute is bad: over the objective, or elevated where there is none.
    pub limit: Microseconds,
}

impl Slow {
    /// Above normal by a third of the way to the objective; by half of normal where there is no objective.
    fn of(judged: &[(Minute, &MinuteRow)], end: Minute, objective: Option<LatencyObjective>) -> Self {
        let old =
            median(judged.iter().filter(|(minute, _)| *minute < end.plus(-60)).filter_map(|(_, row)| latency_of(row)));
        let normal =
            old.or_else(|| quantile(judged.iter().filter_map(|(_, row)| latency_of(row)), 0.25)).unwrap_or(0.0);
        let objective = objective.map(|objective| objective.latency_slo_ms.to_microseconds().0);
        let threshold = match objective {
            Some(objective) if objective > normal => normal + 0.35 * (objective - normal),
            Some(objective) => objective,
            None => 1.5 * normal,
        };
        let limit = objective.unwrap_or(threshold).max(threshold);
        Self { normal: Microseconds(normal), threshold, limit: Microseconds(limit) }
    }

    pub fn is_slow(&self, latency: Microseconds) -> bool {
        latency.0 > self.threshold
    }

    pub fn is_bad(&self, latency: Microseconds) -> bool {
        latency > self.limit
    }
}

/// The first minute of the run of elevated minutes that ends the window; two calm minutes do not end it. Where the run
/// fills all that could be an incident, slowness is the normal state, and only the last minutes are set against it.
fn onset(judged: &[(Minute, &MinuteRow)], end: Minute, slow: &Slow) -> Minute {
    let mut onset = end;
    let mut calm = 0;
    for (minute, row) in judged.iter().rev().take_while(|(minute, _)| end.since(*minute) <= LONGEST_INCIDENT_MINUTES) {
        if row.latency.is_some_and(|latency| slow.is_slow(latency)) {
            (onset, calm) = (*minute, 0);
        } else {
            calm += 1;
            if calm > 2 {
                return onset;
            }
        }
    }
    end.plus(-4)
}

/// Minutes outside earlier incidents: those in whose neighbourhood of five at most two were bad.
fn without_incidents<'a>(rows: &[(Minute, &'a MinuteRow)], slow: &Slow) -> Vec<&'a MinuteRow> {
    let is_bad: Vec<bool> =
        rows.iter().map(|(_, row)| row.latency.is_some_and(|latency| slow.is_bad(latency))).collect();
    let around = |index: usize| is_bad.iter().skip(index.saturating_sub(2)).take(5).filter(|bad| **bad).count();
    rows.iter().enumerate().filter(|(index, _)| around(*index) <= 2).map(|(_, (_, row))| *row).collect()
}

/// Normal minutes with this load, or, where there are too few, the busiest fifth; and whether it is those.
fn matched<'a>(normal: &[&'a MinuteRow], load: f64) -> (Vec<&'a MinuteRow>, bool) {
    let same = |row: &&&MinuteRow| load_of(row).is_some_and(|other| (other / load).ln().abs() < SAME_LOAD);
    let matched: Vec<&MinuteRow> = normal.iter().filter(same).copied().collect();
    if matched.len() >= MATCHED_MINUTES {
        return (matched, false);
    }
    let loads = || normal.iter().filter_map(|row| load_of(row));
    // Where the load is below all that is normal, the quietest are nearest.
    let is_below = quantile(loads(), 0.5).is_some_and(|usual| load < usual);
    let edge = quantile(loads(), if is_below { 0.2 } else { 0.8 }).unwrap_or(0.0);
    let is_near =
        |row: &&&MinuteRow| load_of(row).is_some_and(|load| if is_below { load <= edge } else { load >= edge });
    (normal.iter().filter(is_near).copied().collect(), true)
}

fn missing_metrics(history: &History, observation: &Observation) -> Vec<String> {
    let has = |value: fn(&MinuteRow) -> bool| history.0.values().any(value);
    let mut missing = Vec::new();
    if !has(|row| row.invocations.is_some()) {
        missing.push("Invocations".to_owned());
    }
    if !has(|row| row.load.is_some()) {
        missing.push("InvocationsPerInstance".to_owned());
    }
    if !has(|row| row.latency.is_some()) {
        let statistic = observation.objective.map_or("p90".to_owned(), |objective| objective.slo_statistic.to_string());
        missing.push(format!("ModelLatency ({statistic})"));
    }
    missing
}

pub(super) fn load_of(row: &MinuteRow) -> Option<f64> {
    row.load.map(|load| load.0)
}

pub(super) fn latency_of(row: &MinuteRow) -> Option<f64> {
    row.latency.map(|latency| latency.0)
}

/// The median of a value over rows.
pub(super) fn middle(rows: &[&MinuteRow], value: impl Fn(&MinuteRow) -> Option<f64>) -> Option<f64> {
    median(rows.iter().filter_map(|row| value(row)))
}

pub(super) fn positive(value: f64) -> Option<f64> {
    (value > 0.0).then_some(value)
}

#[expect(clippy::cast_precision_loss, reason = "counts of minutes in 15 days")]
pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
