//! What the causes of asynchronous endpoints are judged by.

use crate::model::{
    Fact, InstanceCount, Metric, Microseconds, Minute, Observation, Queue, QueueMinute, Statistic, Thousands,
    backlog_now,
};
use crate::statistics::{median, quantile, theil_sen};

/// The minutes by which the incident is judged.
const JUDGED_MINUTES: i64 = 10;
/// What is held against them ends so long before the last minute, and before the backlog began to grow.
const BEFORE_MINUTES: i64 = 30;
/// So many other minutes have to be known.
const LEAST_USUAL: usize = 60;
/// The backlog is looked back for so long at most.
const LONGEST_MINUTES: i64 = 24 * 60;
/// What was in the queue in its fullest two hours was not usual, nor was it in the fullest twentieth of the minutes; but what
/// it was in three quarters of them was.
const FULLEST_MINUTES: f64 = 120.0;
const USUAL_SHARES: (f64, f64) = (0.75, 0.95);
/// So many calm minutes in a row end what goes on.
const CALM_MINUTES: u32 = 3;
/// The hour before the onset, in which the instances that were there are counted.
const HOUR: i64 = 60;

/// What was usual before it began.
pub(super) struct Usual {
    /// Backlog that a share of the minutes stayed within, and that share.
    pub backlog: f64,
    pub share: f64,
    /// Requests a minute that arrived in the busiest twentieth of ten-minute stretches.
    pub arrived: Option<f64>,
    /// What one instance processed in saturated minutes.
    pub rate: Option<f64>,
}

/// Measurements of an asynchronous endpoint.
pub(super) struct Measured {
    /// Requests that wait or are being processed.
    pub backlog: f64,
    pub usual: Option<Usual>,
    /// Growth of the backlog, requests a minute.
    pub growth: Option<f64>,
    /// Requests a minute.
    pub arrived: Option<f64>,
    pub processed: Option<f64>,
    /// What one instance processes now, where requests wait for it.
    pub rate: Option<f64>,
    pub age_seconds: Option<f64>,
    pub running: Option<InstanceCount>,
    /// Instances in the hour before the backlog began to grow.
    pub instances_before: Option<f64>,
    pub has_no_capacity: bool,
    /// Backlog for each request that an instance works on at once, where requests wait at all.
    pub is_saturated: bool,
    /// `ModelLatency` now over what was usual.
    pub latency_ratio: Option<f64>,
    pub latency: Option<f64>,
    /// The same over the objective.
    pub over_objective: Option<f64>,
    /// Shares of what was processed, and what was usual.
    pub failed: Share,
    pub refused: Share,
    pub not_fetched: Share,
    pub not_stored: Share,
    /// Requests that were dropped because they waited too long.
    pub expired: Option<f64>,
    /// Time to fetch a request and to store its answer, over the objective-free usual: the ratio, and the time now.
    pub download: Transfer,
    pub upload: Transfer,
}

/// A share of the requests.
#[derive(Clone, Copy)]
pub(super) struct Share {
    /// How many it were in the last minutes.
    pub count: Option<f64>,
    pub now: Option<f64>,
    pub usual: f64,
}

/// How long S3 takes.
#[derive(Clone, Copy)]
pub(super) struct Transfer {
    pub ratio: Option<f64>,
    pub microseconds: Option<f64>,
}

impl Measured {
    /// Measures the last minutes; none where the backlog is not known.
    pub fn of(observation: &Observation, queue: &Queue) -> Option<Self> {
        let backlog = backlog_now(queue)?;
        let last = queue.last;
        let recent: Vec<(Minute, QueueMinute)> =
            (1 - JUDGED_MINUTES..=0).map(|back| last.plus(back)).map(|minute| (minute, queue.at(minute))).collect();
        let onset = onset(queue);
        let before = onset.min(last.plus(-BEFORE_MINUTES));
        let usual = Usual::before(queue, before);
        let points: Vec<(f64, f64)> =
            recent.iter().filter_map(|(minute, row)| Some((signed(minute.since(last)), row.backlog?))).collect();
        let growth = (points.len() >= 5).then(|| theil_sen(&points)).flatten().map(|(_, slope)| slope);
        let flow = queue.flow(last.plus(1 - JUDGED_MINUTES), last);
        let saturated = || recent.iter().filter(|(_, row)| row.is_saturated);
        let instances_before =
            median((1..=HOUR).filter_map(|back| queue.at(onset.plus(-back)).instances.filter(|count| *count > 0.0)));
        let rate = rate(saturated().map(|(_, row)| *row));
        let objective = observation.objective;
        let series = |metric, statistic| Ratio::of(observation, metric, statistic, last, before);
        let model = series(Metric::ModelLatency, Statistic::Average);
        let judged = objective.and_then(|objective| {
            let now = series(Metric::ModelLatency, objective.slo_statistic).now?;
            Some(now / objective.latency_slo_ms.to_microseconds().0)
        });
        let download = series(Metric::RequestDownloadLatency, Statistic::Average);
        let upload = series(Metric::ResponseUploadLatency, Statistic::Average);
        let share = |metrics: &[Metric]| Share::of(observation, queue, metrics, last, before);
        let has_none_now = recent.iter().rev().take(3).any(|(_, row)| row.instances == Some(0.0));
        Some(Self {
            backlog,
            growth,
            arrived: flow.map(|flow| flow.arrived),
            processed: flow.map(|flow| flow.processed),
            rate,
            age_seconds: recent.iter().rev().take(5).find_map(|(_, row)| row.age_seconds),
            running: observation.running(),
            instances_before,
            has_no_capacity: has_none_now || (observation.running() == Some(InstanceCount(0)) && backlog > 0.0),
            is_saturated: saturated().count() >= 3,
            latency_ratio: model.ratio(),
            latency: model.now,
            over_objective: judged,
            failed: share(&[Metric::Invocation5XXErrors, Metric::InvocationFailures]),
            refused: share(&[Metric::Invocation4XXErrors]),
            not_fetched: share(&[Metric::RequestDownloadFailures]),
            not_stored: share(&[Metric::ResponseUploadFailures]),
            expired: sum(observation, Metric::ExpiredRequests, last.plus(1 - JUDGED_MINUTES), last),
            download: Transfer { ratio: download.ratio(), microseconds: download.now },
            upload: Transfer { ratio: upload.ratio(), microseconds: upload.now },
            usual,
        })
    }

    /// Minutes until the queue is empty at the present rates; infinite where it grows, none where rates are not known.
    pub fn minutes_to_clear(&self) -> Option<f64> {
        if self.has_no_capacity {
            return Some(f64::INFINITY);
        }
        let fall = match (self.arrived, self.processed) {
            (Some(arrived), Some(processed)) => processed - arrived,
            _ => -self.growth?,
        };
        Some(if fall > 0.0 { self.backlog / fall } else { f64::INFINITY })
    }

    /// The state of the queue in one sentence without a full stop.
    pub fn in_words(&self) -> String {
        let backlog = Thousands(self.backlog);
        let age = self.age_seconds.map(|age| format!("; the oldest has waited {}", duration(age)));
        let flow = match (self.arrived, self.processed) {
            (Some(arrived), Some(processed)) => {
                format!(", {} a minute arrive and {} are processed", Thousands(arrived), Thousands(processed))
            }
            _ => String::new(),
        };
        let servers = if self.has_no_capacity { ", and there is no instance" } else { "" };
        format!("{backlog} requests wait or are in work{flow}{servers}{}", age.unwrap_or_default())
    }

    /// Facts that every report shows.
    pub fn facts(&self) -> Vec<Fact> {
        let fact = |signal: &str, observed, expected, unit: &str, text: String| Fact {
            signal: signal.to_owned(),
            observed,
            expected,
            unit: unit.to_owned(),
            text,
        };
        let usual = self.usual.as_ref();
        let mut facts =
            vec![fact("backlog", Some(self.backlog), usual.map(|usual| usual.backlog), "requests", self.in_words())];
        facts.extend(self.rate.map(|rate| {
            let before = usual.and_then(|usual| usual.rate);
            let text = before.map(|before| format!(" (before: {})", Thousands(before))).unwrap_or_default();
            fact(
                "processed_per_instance",
                Some(rate),
                before,
                "requests per minute",
                format!("one instance processes {} a minute while requests wait{text}", Thousands(rate)),
            )
        }));
        facts.extend(self.latency.map(|latency| {
            let ratio = self.latency_ratio.map(|ratio| format!(", {ratio:.2} times what is usual")).unwrap_or_default();
            fact(
                "model_latency_ratio",
                self.latency_ratio,
                Some(1.0),
                "ratio",
                format!("ModelLatency is {} on average{ratio}", Microseconds(latency)),
            )
        }));
        facts.extend(self.expired.filter(|expired| *expired > 0.0).map(|expired| {
            fact(
                "expired_requests",
                Some(expired),
                Some(0.0),
                "requests",
                format!("{} requests waited too long in the last ten minutes and were dropped", Thousands(expired)),
            )
        }));
        facts
    }
}

impl Usual {
    fn before(queue: &Queue, end: Minute) -> Option<Self> {
        let rows: Vec<(Minute, QueueMinute)> = queue.minutes().filter(|(minute, _)| *minute < end).collect();
        let backlogs: Vec<f64> = rows.iter().filter_map(|(_, row)| row.backlog).collect();
        if backlogs.len() < LEAST_USUAL {
            return None;
        }
        let first = rows.first()?.0;
        let stretches =
            (0..).map(|index| first.plus(JUDGED_MINUTES * index)).take_while(|start| start.plus(JUDGED_MINUTES) <= end);
        let arrived =
            stretches.filter_map(|start| queue.flow(start, start.plus(JUDGED_MINUTES - 1))).map(|flow| flow.arrived);
        #[expect(clippy::cast_precision_loss, reason = "minutes of at most 15 days")]
        let share = (1.0 - FULLEST_MINUTES / backlogs.len() as f64).clamp(USUAL_SHARES.0, USUAL_SHARES.1);
        Some(Self {
            backlog: quantile(backlogs, share)?,
            share,
            arrived: quantile(arrived, 0.95),
            rate: rate(rows.iter().map(|(_, row)| *row).filter(|row| row.is_saturated)),
        })
    }
}

/// What one instance processes a minute in these saturated minutes; none where they are fewer than three.
fn rate(saturated: impl Iterator<Item = QueueMinute>) -> Option<f64> {
    let known: Vec<(f64, f64)> =
        saturated.filter_map(|row| Some((row.processed?, row.instances.filter(|count| *count > 0.0)?))).collect();
    let (processed, instances) = known.iter().fold((0.0, 0.0), |(done, by), row| (done + row.0, by + row.1));
    (known.len() >= 3 && instances > 0.0).then(|| processed / instances)
}

/// When the backlog began to be more than usual: the first of the run of such minutes that ends the window.
fn onset(queue: &Queue) -> Minute {
    let last = queue.last;
    let before = |age: i64| {
        let older = queue.minutes().filter(move |(minute, _)| last.since(*minute) > age);
        let backlogs: Vec<f64> = older.filter_map(|(_, row)| row.backlog).collect();
        Some(backlogs).filter(|backlogs| backlogs.len() >= LEAST_USUAL)
    };
    // With a short history, what was before the last hour has to do.
    let usual = before(6 * HOUR).or_else(|| before(HOUR)).and_then(|backlogs| quantile(backlogs, 0.75));
    let usual = usual.unwrap_or(0.0).max(1.0);
    let (mut onset, mut calm) = (last, 0);
    for (minute, row) in queue.minutes().rev().take_while(|(minute, _)| last.since(*minute) <= LONGEST_MINUTES) {
        if row.backlog.is_some_and(|backlog| backlog > 1.5 * usual) {
            (onset, calm) = (minute, 0);
        } else {
            calm += 1;
            if calm > CALM_MINUTES {
                break;
            }
        }
    }
    onset
}

/// A statistic now, and what it was usually.
struct Ratio {
    now: Option<f64>,
    usual: Option<f64>,
}

impl Ratio {
    fn of(observation: &Observation, metric: Metric, statistic: Statistic, last: Minute, before: Minute) -> Self {
        let points =
            || observation.metrics.series(metric, statistic).into_iter().flat_map(crate::model::Series::points);
        let now = points().filter(|(minute, _)| *minute <= last && last.since(*minute) < JUDGED_MINUTES);
        let usual: Vec<f64> = points().filter(|(minute, _)| *minute < before).map(|(_, value)| value).collect();
        let usual = median(usual.iter().copied()).filter(|_| usual.len() >= LEAST_USUAL / 3);
        Self { now: median(now.map(|(_, value)| value)), usual }
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.now? / self.usual.filter(|usual| *usual > 0.0)?)
    }
}

impl Share {
    /// The largest of several counts over what was processed. A count without any datapoint is not known, and not zero.
    fn of(observation: &Observation, queue: &Queue, metrics: &[Metric], last: Minute, before: Minute) -> Self {
        let over = |first: Minute, last: Minute| {
            let counts = metrics.iter().filter_map(|metric| sum(observation, *metric, first, last));
            let processed: f64 = (first.0..=last.0).filter_map(|minute| queue.at(Minute(minute)).processed).sum();
            let count = counts.max_by(f64::total_cmp)?;
            Some((count, count / processed.max(count))).filter(|(_, share)| share.is_finite())
        };
        let now = over(last.plus(1 - JUDGED_MINUTES), last);
        Self {
            count: now.map(|(count, _)| count),
            now: now.map(|(_, share)| share),
            usual: over(before.plus(-LONGEST_MINUTES), before).map_or(0.0, |(_, share)| share),
        }
    }
}

fn sum(observation: &Observation, metric: Metric, first: Minute, last: Minute) -> Option<f64> {
    let points = observation.metrics.series(metric, Statistic::Sum)?.points();
    let known: Vec<f64> =
        points.filter(|(minute, _)| (first..=last).contains(minute)).map(|(_, value)| value).collect();
    (!known.is_empty()).then(|| known.iter().sum())
}

#[expect(clippy::cast_precision_loss, reason = "minutes of a window")]
fn signed(minutes: i64) -> f64 {
    minutes as f64
}

/// `41 s`, `12 min`, `3.5 h`.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 100.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3_600.0),
    }
}
