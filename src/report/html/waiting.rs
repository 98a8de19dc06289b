//! What waits in a queue, and what a serverless variant serves at once.

use super::Page;
use super::chart::{Drawn, LIMIT, OTHER, QUIET};
use super::figures::{Day, Figure};
use crate::model::{History, Minute, Queue, QueueMinute, serverless_minutes};
use crate::statistics::quantile;

/// A limit that is further away than this many times the highest value would flatten the line.
const FAR: f64 = 3.0;

/// Requests that wait or are in work, and how long the oldest of them has waited.
pub(super) fn queue(page: &Page<'_>, day: &Day<'_>) -> Vec<Figure> {
    let queue = Queue::of(page.observation);
    let minutes: Vec<(Minute, QueueMinute)> = queue.minutes().collect();
    let of = |value: fn(&QueueMinute) -> Option<f64>| -> Vec<(Minute, f64)> {
        minutes.iter().filter_map(|(minute, row)| Some((*minute, value(row)?))).collect()
    };
    let limit = page.observation.age_objective.map(|wait| (f64::from(wait.0) / 60.0, "allowed"));
    let backlog = Lines { of: of(|row| row.backlog), beside: Vec::new(), limit: None };
    let age = Lines { of: of(|row| row.age_seconds.map(|seconds| seconds / 60.0)), beside: Vec::new(), limit };
    [
        backlog.figure(day, "Queue", "Requests that wait or are in work over the last day", "requests"),
        age.figure(day, "Wait", "Age of the oldest request over the last day, minutes", "min"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The most requests at once in each minute, under the units and the limit that there are.
pub(super) fn at_once(page: &Page<'_>, day: &Day<'_>, history: &History) -> Option<Figure> {
    let serverless = page.observation.variant.serverless?;
    let minutes = serverless_minutes(page.observation, history);
    let most = minutes.iter().filter_map(|minute| Some((minute.minute, minute.most?.0)));
    let units: Vec<_> = minutes.iter().filter_map(|minute| Some((minute.minute, minute.provisioned?))).collect();
    let label = if units.is_empty() {
        "The most requests at once in each minute of the last day".to_owned()
    } else {
        "The most requests at once in each minute of the last day; grey: units of provisioned concurrency".to_owned()
    };
    let limit = Some((f64::from(serverless.max_concurrency), "MaxConcurrency"));
    Lines { of: most.collect(), beside: units, limit }.figure(day, "Requests at once", &label, "at once")
}

/// A line, another one beside it, and a limit.
struct Lines {
    of: Vec<(Minute, f64)>,
    beside: Vec<(Minute, f64)>,
    limit: Option<(f64, &'static str)>,
}

impl Lines {
    fn figure(self, day: &Day<'_>, title: &str, label: &str, unit: &str) -> Option<Figure> {
        let within = |values: &[(Minute, f64)]| day.within(values);
        let (line, beside) = (within(&self.of), within(&self.beside));
        let all = line.iter().chain(&beside).map(|(_, value)| *value);
        let highest = quantile(all, 1.0).filter(|highest| *highest > 0.0)?;
        let limit = self.limit.filter(|(limit, _)| *limit <= FAR * highest);
        let y_end = 1.15 * limit.map_or(highest, |(limit, _)| limit.max(highest));
        let mut marks = Vec::new();
        if !beside.is_empty() {
            marks.push(Drawn::Line(QUIET, Day::pieces(beside)));
        }
        marks.push(Drawn::Line(OTHER, Day::pieces(line)));
        marks.extend(limit.map(|(limit, name)| Drawn::Level(LIMIT, limit, name.to_owned())));
        let svg = day.svg(label, unit, y_end, marks)?;
        Some(Figure { title: title.to_owned(), caption: format!("{label}."), svg })
    }
}
