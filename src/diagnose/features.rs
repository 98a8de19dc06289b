//! What the causes are judged by: the incident's minutes held against minutes of the same variant from before.

use crate::model::{EndpointName, History, LatencyObjective, Microseconds, Minute, MinuteRow, Observation};
use crate::statistics::{median, quantile, theil_sen_intercept};

/// Minutes with fewer requests say little about latency, and two of them next to each other nothing.
const ENOUGH_INVOCATIONS: f64 = 20.0;
/// An hour and a half of normal minutes: enough to know what is normal at this load, and what remains of three hours of
/// history once an incident of an hour and a few gaps are taken away.
const BASELINE_MINUTES: usize = 90;
/// Three minutes are what a usual alarm needs too.
const INCIDENT_MINUTES: usize = 3;
/// The incident is judged by its last minutes: earlier ones mix the rise with the plateau.
const WINDOW_MINUTES: i64 = 5;
/// Metrics arrive one to three minutes late; where nothing came for this long, there is nothing to judge.
const STALE_MINUTES: i64 = 10;
/// An incident that began earlier has become the normal state, and is told from the objective instead.
const LONGEST_INCIDENT_MINUTES: i64 = 360;
/// Loads within 15 % of each other are the same load (|ln| below this).
const SAME_LOAD: f64 = 0.15;
/// Fewer matched minutes than this are chance.
const MATCHED_MINUTES: usize = 10;

/// Measurements of one incident. Ratios are incident over normal; 1 is normal. A ratio is `None` where its metric was
/// missing.
pub(super) struct Features {
    pub endpoint_name: EndpointName,
    pub endpoint_config_name: Option<String>,
    pub objective: Option<LatencyObjective>,
    /// First minute of the incident.
    pub onset: Minute,
    /// Latency above this is bad: over the objective, or half as much again as normal where there is none.
    pub limit: Microseconds,
    /// Minutes of the last 30 in which latency was elevated.
    pub slow_minutes: usize,
    /// Median latency of the incident, in the objective's statistic.
    pub latency: Microseconds,
    /// Median latency of the normal minutes.
    pub normal_latency: Microseconds,
    /// Latency against normal minutes of the same load.
    pub latency_ratio: f64,
    /// The same for its median.
    pub p50_ratio: Option<f64>,
    /// Load per instance now, and the highest that was usual in normal minutes (their 99th percentile).
    pub load: f64,
    pub usual_peak_load: f64,
    /// Normal minutes that carried this load or more, and the share of all such minutes that kept latency.
    pub minutes_at_load: usize,
    pub met_share_at_load: f64,
    /// Work per request (utilisation beyond idle, per request) against the same load.
    pub work_ratio: Option<f64>,
    /// Share of the busiest resource in use now.
    pub busy: Option<f64>,
    /// Whether `busy` is a true share: the instance's cores are known.
    pub is_busy_normalised: bool,
    /// Whether no normal minute had a similar load.
    pub is_extrapolated: bool,
    /// Mean `OverheadLatency` now and normally.
    pub overhead: Option<Microseconds>,
    pub normal_overhead: Option<Microseconds>,
    /// Share of requests answered with a 5xx, now and normally.
    pub error_5xx_share: Option<f64>,
    pub normal_error_5xx_share: Option<f64>,
    /// Share of requests answered with a 4xx.
    pub error_4xx_share: Option<f64>,
    /// Requests to the variant against the hour before the incident, and effective instances likewise.
    pub traffic_ratio: Option<f64>,
    pub instances_ratio: Option<f64>,
    /// Share of all earlier minutes over the objective, and whether even the quietest quarter is over it.
    pub violation_share: f64,
    pub is_slow_when_quiet: bool,
    /// Minutes from the creation of the endpoint configuration in use to the onset; negative: created after it.
    pub minutes_since_deployment: Option<i64>,
    /// Share of memory in use now.
    pub memory: Option<f64>,
    /// Earlier minutes behind all of this.
    pub earlier_minutes: usize,
}

impl Features {
    /// Measures the incident at the end of the observation.
    ///
    /// # Errors
    /// What is missing, in words, where there is not enough to judge.
    pub fn of(observation: &Observation) -> Result<Self, Vec<String>> {
        let history = History::of(observation);
        let missing = missing_metrics(&history, observation);
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
        let incident: Vec<&MinuteRow> = judged
            .iter()
            .filter(|(minute, _)| *minute > end.plus(-WINDOW_MINUTES) && *minute >= onset)
            .map(|(_, row)| *row)
            .collect();
        // One minute of elevated latency is followed by more, or it was a blip; either way the last minutes are judged.
        let incident = if incident.len() < INCIDENT_MINUTES {
            judged.iter().filter(|(minute, _)| *minute > end.plus(-WINDOW_MINUTES)).map(|(_, row)| *row).collect()
        } else {
            incident
        };
        let earlier: Vec<(Minute, &MinuteRow)> =
            judged.iter().copied().filter(|(minute, _)| *minute < onset.plus(-3)).collect();
        // A minute of failing requests is no measure of what the endpoint carries.
        let sound: Vec<(Minute, &MinuteRow)> =
            earlier.iter().copied().filter(|(_, row)| row.has_few_errors()).collect();
        let normal: Vec<&MinuteRow> = without_incidents(&sound, &slow);
        let normal =
            if normal.len() < BASELINE_MINUTES { earlier.iter().map(|(_, row)| *row).collect() } else { normal };
        if incident.len() < INCIDENT_MINUTES || normal.len() < BASELINE_MINUTES {
            return Err(vec![format!(
                "{} minutes with at least {ENOUGH_INVOCATIONS} invocations before the incident and {} in it; {BASELINE_MINUTES} \
                 and {INCIDENT_MINUTES} are needed",
                normal.len(),
                incident.len()
            )]);
        }
        Self::measure(observation, &history, &slow, onset, end, &incident, &normal, &earlier)
            .ok_or_else(|| vec!["latency or load of the incident".to_owned()])
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one incident, named by `of`")]
    fn measure(
        observation: &Observation,
        history: &History,
        slow: &Slow,
        onset: Minute,
        end: Minute,
        incident: &[&MinuteRow],
        normal: &[&MinuteRow],
        earlier: &[(Minute, &MinuteRow)],
    ) -> Option<Self> {
        let load = middle(incident, load_of)?;
        let latency = middle(incident, latency_of)?;
        let matched: Vec<&MinuteRow> = normal.iter().copied().filter(|row| is_same_load(row, load)).collect();
        let is_extrapolated = matched.len() < MATCHED_MINUTES;
        let busiest = quantile(normal.iter().filter_map(|row| load_of(row)), 0.8)?;
        let matched = if is_extrapolated {
            normal.iter().copied().filter(|row| load_of(row).is_some_and(|load| load >= busiest)).collect()
        } else {
            matched
        };
        let ratio =
            |value: fn(&MinuteRow) -> Option<f64>| Some(middle(incident, value)? / positive(middle(&matched, value)?)?);
        let at_load: Vec<&MinuteRow> = earlier
            .iter()
            .map(|(_, row)| *row)
            .filter(|row| row.has_few_errors() && load_of(row).is_some_and(|seen| seen >= 0.97 * load))
            .collect();
        let met = at_load.iter().filter(|row| row.latency.is_some_and(|latency| !slow.is_bad(latency))).count();
        let over = |row: &&MinuteRow| {
            row.latency
                .zip(observation.objective)
                .is_some_and(|(latency, objective)| latency > objective.latency_slo_ms.to_microseconds())
        };
        let quiet = quantile(earlier.iter().filter_map(|(_, row)| load_of(row)), 0.25)?;
        let quiet: Vec<&MinuteRow> =
            earlier.iter().map(|(_, row)| *row).filter(|row| load_of(row).is_some_and(|load| load <= quiet)).collect();
        let hour_before: Vec<&MinuteRow> =
            history.between(onset.plus(-63), onset.plus(-4)).map(|(_, row)| row).collect();
        let change = |value: fn(&MinuteRow) -> Option<f64>| {
            Some(middle(incident, value)? / positive(middle(&hour_before, value)?)?)
        };
        let deployed = observation.endpoint.endpoint_config_created_at.map(Minute::containing);
        Some(Self {
            endpoint_name: observation.endpoint_name.clone(),
            endpoint_config_name: observation.endpoint.endpoint_config_name.clone(),
            objective: observation.objective,
            onset,
            limit: Microseconds(slow.limit),
            slow_minutes: history
                .between(end.plus(-29), end)
                .filter(|(_, row)| row.latency.is_some_and(|latency| slow.is_slow(latency)))
                .count(),
            latency: Microseconds(latency),
            normal_latency: Microseconds(slow.normal),
            latency_ratio: ratio(latency_of)?,
            p50_ratio: ratio(|row| row.latency_p50.map(|latency| latency.0)),
            load,
            usual_peak_load: positive(quantile(normal.iter().filter_map(|row| load_of(row)), 0.99)?)?,
            minutes_at_load: at_load.len(),
            met_share_at_load: share(met, at_load.len()),
            work_ratio: work_ratio(incident, &matched, normal),
            busy: middle(incident, |row| row.busy),
            is_busy_normalised: observation.variant.instance_type.as_ref().is_some_and(|kind| kind.vcpus().is_some()),
            is_extrapolated,
            overhead: middle(incident, overhead_of).map(Microseconds),
            normal_overhead: middle(normal, overhead_of).map(Microseconds),
            error_5xx_share: error_share(incident, |row| row.errors_5xx),
            normal_error_5xx_share: error_share(normal, |row| row.errors_5xx),
            error_4xx_share: error_share(incident, |row| row.errors_4xx),
            traffic_ratio: change(|row| row.invocations.map(|invocations| invocations.0)),
            instances_ratio: change(MinuteRow::instances),
            violation_share: share(earlier.iter().filter(|(_, row)| over(row)).count(), earlier.len()),
            is_slow_when_quiet: share(quiet.iter().filter(|row| over(row)).count(), quiet.len()) > 0.5,
            minutes_since_deployment: deployed.map(|deployed| onset.since(deployed)),
            memory: middle(incident, |row| row.memory),
            earlier_minutes: earlier.len(),
        })
    }

    /// How far this load is above what was usual in normal minutes.
    pub fn load_ratio(&self) -> f64 {
        self.load / self.usual_peak_load
    }
}

/// When latency counts as elevated.
pub(super) struct Slow {
    normal: f64,
    /// Above this a minute is elevated: something began.
    threshold: f64,
    /// Above this a minute is bad: over the objective, or elevated where there is none.
    limit: f64,
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
        Self { normal, threshold, limit: objective.unwrap_or(threshold).max(threshold) }
    }

    fn is_slow(&self, latency: Microseconds) -> bool {
        latency.0 > self.threshold
    }

    fn is_bad(&self, latency: Microseconds) -> bool {
        latency.0 > self.limit
    }
}

/// The first minute of the run of elevated minutes that ends the window; two calm minutes do not end it.
fn onset(judged: &[(Minute, &MinuteRow)], end: Minute, slow: &Slow) -> Minute {
    let mut onset = end;
    let mut calm = 0;
    for (minute, row) in judged.iter().rev().take_while(|(minute, _)| end.since(*minute) <= LONGEST_INCIDENT_MINUTES) {
        if row.latency.is_some_and(|latency| slow.is_slow(latency)) {
            (onset, calm) = (*minute, 0);
        } else {
            calm += 1;
            if calm > 2 {
                break;
            }
        }
    }
    onset
}

/// Minutes outside earlier incidents: those in whose neighbourhood of five at most two were bad.
fn without_incidents<'a>(rows: &[(Minute, &'a MinuteRow)], slow: &Slow) -> Vec<&'a MinuteRow> {
    let is_bad: Vec<bool> =
        rows.iter().map(|(_, row)| row.latency.is_some_and(|latency| slow.is_bad(latency))).collect();
    let around = |index: usize| is_bad.iter().skip(index.saturating_sub(2)).take(5).filter(|bad| **bad).count();
    rows.iter().enumerate().filter(|(index, _)| around(*index) <= 2).map(|(_, (_, row))| *row).collect()
}

/// Work per request against matched minutes: utilisation beyond idle, per request. The idle share is the intercept of
/// utilisation over load, at most 10 %: more than that is not idling.
fn work_ratio(incident: &[&MinuteRow], matched: &[&MinuteRow], normal: &[&MinuteRow]) -> Option<f64> {
    let points: Vec<(f64, f64)> = normal.iter().filter_map(|row| Some((load_of(row)?, row.busy?))).collect();
    if points.len() < MATCHED_MINUTES {
        return None;
    }
    let idle = theil_sen_intercept(&points).unwrap_or(0.0).clamp(0.0, 0.10);
    let work =
        |rows: &[&MinuteRow]| median(rows.iter().filter_map(|row| Some((row.busy? - idle) / positive(load_of(row)?)?)));
    Some(work(incident)? / positive(work(matched)?)?)
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

fn load_of(row: &MinuteRow) -> Option<f64> {
    row.load.map(|load| load.0)
}

fn latency_of(row: &MinuteRow) -> Option<f64> {
    row.latency.map(|latency| latency.0)
}

fn overhead_of(row: &MinuteRow) -> Option<f64> {
    row.overhead.map(|overhead| overhead.0)
}

fn middle(rows: &[&MinuteRow], value: fn(&MinuteRow) -> Option<f64>) -> Option<f64> {
    median(rows.iter().filter_map(|row| value(row)))
}

/// Errors per request over all the minutes; none where errors were not published in any of them.
fn error_share(rows: &[&MinuteRow], errors: fn(&MinuteRow) -> Option<f64>) -> Option<f64> {
    let counted: Vec<(f64, f64)> = rows.iter().filter_map(|row| Some((errors(row)?, row.invocations?.0))).collect();
    let requests = positive(counted.iter().map(|(_, requests)| requests).sum())?;
    Some(counted.iter().map(|(errors, _)| errors).sum::<f64>() / requests)
}

fn is_same_load(row: &MinuteRow, load: f64) -> bool {
    load_of(row).is_some_and(|other| (other / load).ln().abs() < SAME_LOAD)
}

fn positive(value: f64) -> Option<f64> {
    (value > 0.0).then_some(value)
}

#[expect(clippy::cast_precision_loss, reason = "counts of minutes in 15 days")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
