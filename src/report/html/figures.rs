//! Which pictures a report has, and what they show.

use super::Page;
use super::chart::{Chart, Drawn, LATENCY, LIMIT, OTHER, PLAN, QUIET};
use super::waiting;
use crate::model::{
    Bound, Comparison, History, InvocationsPerInstance, LatencyCurve, MetricSpecification, Microseconds, Minute,
    MinuteRow, Observation, PolicyConfiguration, PutScalingPolicy, Row, Thousands,
};
use crate::statistics::quantile;
use jiff::Timestamp;
use plotters::style::RGBColor;

/// What the time charts show: long enough for the same hour of the day before.
const DAY_MINUTES: i64 = 1_440;
/// Points in the scatter: more only make the file larger.
const MOST_POINTS: usize = 1_500;
/// The incident's own minutes in the scatter.
const INCIDENT_MINUTES: i64 = 15;
/// Points along the fitted curve.
const CURVE_POINTS: u32 = 120;
/// One slow minute must not flatten the rest: what is above this many times the objective (or the 99th percentile) is cut.
const MOST_ABOVE: f64 = 6.0;
/// The bend of the curve matters more than how far a queue went.
const MOST_ABOVE_IN_SCATTER: f64 = 3.0;

/// A picture with its words.
pub(in crate::report) struct Figure {
    pub title: String,
    pub caption: String,
    pub svg: String,
}

/// Every picture that there is something to draw for.
pub(super) fn all(page: &Page<'_>) -> Vec<Figure> {
    let history = History::of(page.observation);
    let day = Day::of(page.observation, &history);
    let figures = [latency(page, &day), load(page, &day), instances(page, &day), scatter(page, &history)];
    let served = waiting::queue(page, &day).into_iter().chain(waiting::at_once(page, &day, &history));
    figures.into_iter().flatten().chain(served).chain(replay(page)).collect()
}

/// A number as it stands on an axis: `1,500`, `2.5`.
pub(super) fn number(value: f64) -> String {
    if value.abs() < 10.0 && value.fract().abs() > 1e-9 {
        format!("{value:.1}")
    } else {
        Thousands(value.round()).to_string()
    }
}

/// The last day of a history, on an axis of hours from the midnight before it: the grid falls on whole hours.
pub(super) struct Day<'a> {
    midnight: Minute,
    ends: (f64, f64),
    rows: Vec<(f64, &'a MinuteRow)>,
    marks: Vec<(f64, String)>,
}

impl<'a> Day<'a> {
    fn of(observation: &Observation, history: &'a History) -> Self {
        let last = observation.last_minute();
        let first = last.plus(1 - DAY_MINUTES);
        let midnight = midnight_before(first);
        let ends = (hours(first.since(midnight)), hours(last.since(midnight)));
        let mut day = Self { midnight, ends, rows: Vec::new(), marks: Vec::new() };
        let alarm = observation.trigger.changed_at.and_then(|time| day.place(time));
        let deployed = observation.endpoint.endpoint_config_created_at.and_then(|time| day.place(time));
        let marks = [("alarm", alarm), ("deployed", deployed)];
        day.marks = marks.into_iter().filter_map(|(name, place)| Some((place?, name.to_owned()))).collect();
        day.rows = history.between(first, last).map(|(minute, row)| (hours(minute.since(midnight)), row)).collect();
        day
    }

    /// Where a time is; none where it is not within the day.
    fn place(&self, time: Timestamp) -> Option<f64> {
        let place = hours(Minute::containing(time).since(self.midnight));
        (self.ends.0..=self.ends.1).contains(&place).then_some(place)
    }

    /// A line with a gap wherever a minute is missing.
    fn line(&self, value: impl Fn(&MinuteRow) -> Option<f64>) -> Vec<Vec<(f64, f64)>> {
        Self::pieces(self.rows.iter().filter_map(|(place, row)| Some((*place, value(row)?))).collect())
    }

    /// What of these minutes lies within the day, with its place on the axis.
    pub(super) fn within(&self, values: &[(Minute, f64)]) -> Vec<(f64, f64)> {
        let places = values.iter().map(|(minute, value)| (hours(minute.since(self.midnight)), *value));
        places.filter(|(place, _)| (self.ends.0..=self.ends.1).contains(place)).collect()
    }

    /// Points of one minute each as a line, with a gap wherever a minute is missing.
    pub(super) fn pieces(points: Vec<(f64, f64)>) -> Vec<Vec<(f64, f64)>> {
        let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut before = f64::NEG_INFINITY;
        for (place, value) in points {
            if place > before + hours(2) - f64::EPSILON || pieces.is_empty() {
                pieces.push(Vec::new());
            }
            if let Some(piece) = pieces.last_mut() {
                piece.push((place, value));
            }
            before = place;
        }
        pieces
    }

    pub(super) fn svg(&self, label: &str, y: &str, y_end: f64, mut marks: Vec<Drawn>) -> Option<String> {
        let midnight = self.midnight;
        let clock = move |place: f64| after(midnight, place).strftime("%H:%M").to_string();
        marks.extend(self.marks.iter().map(|(place, name)| Drawn::Place(QUIET, *place, name.clone())));
        Chart { label: label.to_owned(), x: self.ends, y_end, names: ("time, UTC", y), x_text: &clock, marks }.svg()
    }
}

fn latency(page: &Page<'_>, day: &Day<'_>) -> Option<Figure> {
    let milliseconds = |row: &MinuteRow| row.latency.map(|latency| latency.to_milliseconds().0);
    let objective = page.report.objective.map(|objective| objective.latency_slo_ms.0);
    let all: Vec<f64> = day.rows.iter().filter_map(|(_, row)| milliseconds(row)).collect();
    let (highest, usual) = (quantile(all.iter().copied(), 1.0)?, quantile(all.iter().copied(), 0.99)?);
    let most = MOST_ABOVE * objective.unwrap_or(usual).max(usual / MOST_ABOVE);
    let y_end = 1.1 * highest.min(most).max(objective.unwrap_or(0.0));
    let cut = |row: &MinuteRow| milliseconds(row).map(|value| value.min(y_end));
    let mut marks = vec![Drawn::Line(LATENCY, day.line(cut))];
    marks.extend(objective.map(|limit| Drawn::Level(LIMIT, limit, "objective".to_owned())));
    let statistic = page.report.objective.map_or("p90".to_owned(), |objective| objective.slo_statistic.to_string());
    let cut = if highest > y_end { ", cut above the chart" } else { "" };
    let label = format!("{statistic} ModelLatency of the last day, milliseconds{cut}");
    let svg = day.svg(&label, "ms", y_end, marks)?;
    Some(Figure { title: "Latency".to_owned(), caption: format!("{label}."), svg })
}

fn load(page: &Page<'_>, day: &Day<'_>) -> Option<Figure> {
    let per_instance = |row: &MinuteRow| row.load.map(|load| load.0);
    let highest = quantile(day.rows.iter().filter_map(|(_, row)| per_instance(row)), 1.0)?;
    let capacity = page.report.capacity.as_ref();
    let carries = capacity.map(|capacity| capacity.invocations_per_instance_per_minute.0);
    let y_end = 1.15 * highest.max(carries.unwrap_or(0.0));
    let mut marks = vec![Drawn::Line(OTHER, day.line(per_instance))];
    if let (Some(capacity), Some(carries)) = (capacity, carries) {
        let name = if capacity.bound == Bound::Estimate { "capacity" } else { "carried at least" };
        marks.push(Drawn::Level(LIMIT, carries, name.to_owned()));
    }
    let unit = page.observation.dimension().unit();
    let label = format!("Invocations per {unit} and minute over the last day");
    let svg = day.svg(&label, "per minute", y_end, marks)?;
    Some(Figure { title: "Load".to_owned(), caption: format!("{label}."), svg })
}

fn instances(page: &Page<'_>, day: &Day<'_>) -> Option<Figure> {
    let count = |row: &MinuteRow| row.instances().map(f64::round);
    let highest = quantile(day.rows.iter().filter_map(|(_, row)| count(row)), 1.0)?;
    let activities = page.observation.scaling.as_ref().and_then(|scaling| scaling.activities.as_ref());
    let scaled = activities.into_iter().flatten().filter_map(|activity| day.place(activity.started_at));
    let scaled: Vec<(f64, f64)> = scaled.map(|place| (place, 0.05 * 1.3 * highest)).collect();
    let units = page.observation.dimension().units();
    let label = format!("{} that served over the last day", capitalised(units));
    let told = if scaled.is_empty() { String::new() } else { "; dots: scaling activities".to_owned() };
    let marks = vec![Drawn::Line(PLAN, day.line(count)), Drawn::Points(OTHER, 6, scaled)];
    let svg = day.svg(&label, units, (1.3 * highest).max(2.0), marks)?;
    Some(Figure { title: capitalised(units), caption: format!("{label}{told}."), svg })
}

/// Latency over load, with the curve behind the numbers.
fn scatter(page: &Page<'_>, history: &History) -> Option<Figure> {
    let last = page.observation.last_minute();
    let point = |row: &MinuteRow| Some((row.load?.0, row.latency?.to_milliseconds().0));
    let all: Vec<(bool, (f64, f64))> = history
        .before(last.plus(1))
        .filter_map(|(minute, row)| Some((last.since(minute) < INCIDENT_MINUTES, point(row)?)))
        .collect();
    let capacity = page.report.capacity.as_ref();
    let objective = page.report.objective.map(|objective| objective.latency_slo_ms.0);
    let target = page.report.plan.put_scaling_policies.iter().find_map(load_target);
    let loads = all.iter().map(|(_, (load, _))| *load);
    let curve = capacity.and_then(|capacity| capacity.curve.as_ref());
    let ends = loads.chain(capacity.map(|capacity| 1.1 * capacity.invocations_per_instance_per_minute.0));
    let x_end = 1.05 * quantile(ends, 1.0)?;
    let latencies = all.iter().map(|(_, (_, latency))| *latency);
    let (usual, highest) = (quantile(latencies.clone(), 0.99)?, quantile(latencies, 1.0)?);
    let most = MOST_ABOVE_IN_SCATTER * objective.unwrap_or(usual).max(usual / MOST_ABOVE_IN_SCATTER);
    let y_end = 1.1 * highest.min(most).max(1.3 * objective.unwrap_or(0.0));
    let shown = |is_now: bool| -> Vec<(f64, f64)> {
        let of: Vec<(f64, f64)> = all.iter().filter(|(now, _)| *now == is_now).map(|(_, point)| *point).collect();
        let step = of.len().div_ceil(MOST_POINTS).max(1);
        of.into_iter().step_by(step).map(|(load, latency)| (load, latency.min(y_end))).collect()
    };
    let mut marks = Vec::new();
    if let Some(capacity) = capacity {
        let high = capacity.high.map_or(x_end, |high| high.0);
        marks.push(Drawn::Range(LIMIT, capacity.low.0, high));
    }
    marks.push(Drawn::Points(QUIET, 3, shown(false)));
    marks.push(Drawn::Points(LIMIT, 6, shown(true)));
    marks.extend(curve.map(|curve| Drawn::Line(LATENCY, vec![points(curve, x_end, y_end)])));
    marks.extend(objective.map(|limit| Drawn::Level(LIMIT, limit, "objective".to_owned())));
    marks.extend(target.map(|target| Drawn::Place(PLAN, target, "target".to_owned())));
    let unit = page.observation.dimension().unit();
    let now = "red: the last 15 minutes";
    let (with, band) = (
        if curve.is_some() { "; the line is the fitted curve" } else { "" },
        if capacity.is_some() { "; the band holds the capacity" } else { "" },
    );
    let label = format!("Latency of single minutes over the load on one {unit}; {now}{with}{band}");
    let x_name = format!("invocations per {unit} and minute");
    let svg = Chart { label: label.clone(), x: (0.0, x_end), y_end, names: (&x_name, "ms"), x_text: &number, marks };
    Some(Figure { title: "Latency over load".to_owned(), caption: format!("{label}."), svg: svg.svg()? })
}

/// The load that a policy keeps; none where it follows something else.
fn load_target(policy: &PutScalingPolicy) -> Option<f64> {
    match &policy.configuration {
        PolicyConfiguration::TargetTracking(tracking) => match tracking.metric {
            MetricSpecification::Predefined(_) => Some(tracking.target_value),
            MetricSpecification::Customized(_) => None,
        },
        PolicyConfiguration::Steps(_) => None,
    }
}

fn points(curve: &LatencyCurve, x_end: f64, y_end: f64) -> Vec<(f64, f64)> {
    let place = |step: u32| x_end * f64::from(step) / f64::from(CURVE_POINTS);
    let latency = |load: f64| curve.latency(InvocationsPerInstance(load));
    (0..=CURVE_POINTS)
        .map(|step| (place(step), Microseconds(latency(place(step)).0).to_milliseconds().0))
        .take_while(|(_, latency)| *latency <= y_end)
        .collect()
}

/// The present set-up and the plan over the whole history.
fn replay(page: &Page<'_>) -> Option<Figure> {
    counts(page.replay?, page.observation.dimension().units())
}

/// The load that was replayed, and what each set-up made of it.
pub(in crate::report) fn of_comparison(comparison: &Comparison) -> Vec<Figure> {
    [arrivals(comparison), counts(comparison, comparison.dimension().units())].into_iter().flatten().collect()
}

fn arrivals(comparison: &Comparison) -> Option<Figure> {
    let axis = Days::of(comparison);
    let highest = quantile(comparison.load.iter().flatten().copied(), 1.0)?;
    let label = format!("Requests per minute, in means of {} minutes", comparison.slot_minutes);
    let line = Drawn::Line(OTHER, axis.line(&comparison.load));
    let svg = axis.svg(&label, "per minute", 1.15 * highest, vec![line])?;
    Some(Figure { title: "Load".to_owned(), caption: format!("{label}."), svg })
}

fn counts(comparison: &Comparison, units: &str) -> Option<Figure> {
    let axis = Days::of(comparison);
    let rows: Vec<_> = comparison.rows.iter().filter(|row| !row.instances.is_empty()).zip(COLOURS).collect();
    let highest = quantile(rows.iter().flat_map(|(row, _)| row.instances.iter().copied()), 1.0)?;
    let line = |(row, (colour, _)): &(&Row, (RGBColor, &str))| {
        let counts: Vec<Option<f64>> = row.instances.iter().copied().map(Some).collect();
        Drawn::Line(*colour, axis.line(&counts))
    };
    let names: Vec<String> = rows.iter().map(|(row, (_, colour))| format!("{colour}: {}", row.name)).collect();
    let label = format!("{} in a replay of this endpoint's own traffic; {}", capitalised(units), names.join(", "));
    let svg = axis.svg(&label, units, (1.2 * highest).max(2.0), rows.iter().map(line).collect())?;
    Some(Figure { title: "What it would have done".to_owned(), caption: format!("{label}."), svg })
}

/// Set-ups side by side; more of them nobody could tell apart.
const COLOURS: [(RGBColor, &str); 5] =
    [(QUIET, "grey"), (PLAN, "green"), (OTHER, "brown"), (LATENCY, "blue"), (LIMIT, "red")];

/// An axis of days from the midnight before a replay: the grid falls on midnights.
struct Days {
    midnight: Minute,
    ends: (f64, f64),
    slot: f64,
}

impl Days {
    fn of(comparison: &Comparison) -> Self {
        let first = Minute::containing(comparison.from);
        let midnight = midnight_before(first);
        let begin = hours(first.since(midnight)) / 24.0;
        let slot = f64::from(comparison.slot_minutes) / 1_440.0;
        Self { midnight, ends: (begin, begin + comparison.days), slot }
    }

    /// A line with a gap wherever nothing is known.
    fn line(&self, values: &[Option<f64>]) -> Vec<Vec<(f64, f64)>> {
        let mut place = self.ends.0 - self.slot;
        let mut pieces = vec![Vec::new()];
        for value in values {
            place += self.slot;
            match (value, pieces.last_mut()) {
                (Some(value), Some(piece)) => piece.push((place, *value)),
                (None, Some(piece)) if !piece.is_empty() => pieces.push(Vec::new()),
                _ => {}
            }
        }
        pieces
    }

    fn svg(&self, label: &str, y: &str, y_end: f64, marks: Vec<Drawn>) -> Option<String> {
        let midnight = self.midnight;
        let day = move |place: f64| {
            let format = if place.fract().abs() < 1e-6 { "%d %b" } else { "%d %b %Hh" };
            after(midnight, 24.0 * place).strftime(format).to_string()
        };
        Chart { label: label.to_owned(), x: self.ends, y_end, names: ("UTC", y), x_text: &day, marks }.svg()
    }
}

fn midnight_before(minute: Minute) -> Minute {
    minute.plus(-minute.0.rem_euclid(DAY_MINUTES))
}

fn hours(minutes: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "minutes of a few weeks")]
    let minutes = minutes as f64;
    minutes / 60.0
}

/// So many hours after a minute.
fn after(minute: Minute, hours: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "hours of a few weeks")]
    let minutes = (60.0 * hours).round() as i64;
    minute.plus(minutes).start()
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
