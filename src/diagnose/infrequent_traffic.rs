//! So few requests that each meets cold paths: closed connections, evicted caches, a container that sleeps. It is
//! judged
//! apart from the other causes, because so few requests make no minute that they could be held against.
//!
//! Two comparisons can show it: requests after a pause against requests in a row, and requests alone in their minute
//! against the fastest of a minute with several. Where all requests come after long pauses there is nothing to compare,
//! and it is only the likeliest cause.

use super::features::whole;
use crate::model::{Alternative, Diagnosis, Evidence, Grade, History, Microseconds, Minute, Observation, Verdict};
use crate::statistics::median;

/// What is looked at: the last day.
const DAY_MINUTES: i64 = 24 * 60;
/// With more requests than this, they follow each other.
const RARE_PER_MINUTE: f64 = 2.0;
/// With fewer than this, nearly every one comes after a pause.
const SPARSE_PER_MINUTE: f64 = 1.0;
/// So many of the last minutes with requests are over the objective where a usual alarm fires.
const LATEST: usize = 10;
const LATEST_OVER: usize = 3;
/// Pauses, in minutes, after which a container may be cold.
const PAUSES: [i64; 4] = [1, 2, 3, 5];
/// Share of comparisons in which the request after a pause is the slower one.
const SLOWER_SHARE: f64 = 0.75;
/// So many requests of each kind are needed to compare them.
const ENOUGH: usize = 5;
/// So much slower after a pause is no chance.
const COLD: f64 = 1.5;
/// The fastest of a few is faster than one by itself, so more is asked of this comparison.
const COLD_AGAINST_FASTEST: f64 = 3.0;

/// The requests of one minute.
struct Sparse {
    minute: Minute,
    count: f64,
    /// Latency in the objective's statistic, and of the fastest, overhead included; microseconds.
    latency: f64,
    fastest: Option<f64>,
}

/// What shows that pauses make requests slow.
struct Comparison {
    text: String,
    ratio: f64,
    confidence: f64,
}

/// The verdict, where pauses explain latency.
pub(super) fn diagnosis(observation: &Observation, history: &History) -> Option<Diagnosis> {
    let last = observation.last_minute();
    let day = || history.between(last.plus(1 - DAY_MINUTES), last);
    let requests: Vec<Sparse> = day()
        .filter_map(|(minute, row)| {
            let overhead = row.overhead.map_or(0.0, |overhead| overhead.0);
            Some(Sparse {
                minute,
                count: row.invocations.filter(|count| count.0 > 0.0)?.0,
                latency: row.latency?.0 + overhead,
                fastest: row.latency_minimum.map(|fastest| fastest.0 + overhead),
            })
        })
        .collect();
    let first = day().next().map(|(minute, _)| minute)?;
    let total: f64 = requests.iter().map(|sparse| sparse.count).sum();
    #[expect(clippy::cast_precision_loss, reason = "minutes of a day")]
    let per_minute = total / (last.since(first) + 1) as f64;
    if per_minute > RARE_PER_MINUTE {
        return None;
    }
    let found = after_a_pause(&requests)
        .or_else(|| alone_in_its_minute(&requests))
        .or_else(|| slow_after_every_pause(&requests, observation, per_minute))?;
    let confidence = (found.confidence * 100.0).round() / 100.0;
    Some(Diagnosis {
        verdict: Verdict::InfrequentTraffic,
        sub_cause: None,
        confidence,
        grade: if confidence >= 0.75 { Grade::Medium } else { Grade::Low },
        summary: format!("{}; {per_minute:.2} requests a minute come in all, and most meet cold paths.", found.text),
        evidence: vec![Evidence {
            signal: "latency_after_pause".to_owned(),
            supports: true,
            observed: Some(found.ratio),
            expected: Some(1.0),
            unit: "ratio".to_owned(),
            text: found.text,
        }],
        context: Vec::new(),
        alternatives: vec![Alternative {
            verdict: Verdict::SlowModel,
            confidence: ((1.0 - confidence) * 100.0).round() / 100.0,
            why_not: "only requests that follow each other would show whether the model itself is slow".to_owned(),
        }],
        blocked_by: None,
        next_steps: vec![
            "Keep it warm: a scheduled request every minute or two, with a typical payload. If that is slow too, \
             benchmark the model."
                .to_owned(),
            "Or accept it, and let the alarm ask for more datapoints (EvaluateLowSampleCountPercentile: ignore)."
                .to_owned(),
            "So little traffic may be cheaper on a serverless or asynchronous endpoint, which meet cold starts too."
                .to_owned(),
        ],
    })
}

/// Twice the threshold leaves no doubt; but the comparison rests on few requests, so it is never certain.
fn confidence(ratio: f64, threshold: f64) -> f64 {
    (0.75 + 0.2 * (ratio / threshold - 1.0)).min(0.95)
}

/// Requests after a pause against requests in a row. How long a pause makes cold differs from container to
/// container: the
/// length that tells them apart best is taken.
fn after_a_pause(requests: &[Sparse]) -> Option<Comparison> {
    PAUSES.iter().filter_map(|pause| after_pause_of(requests, *pause)).max_by(|a, b| a.ratio.total_cmp(&b.ratio))
}

fn after_pause_of(requests: &[Sparse], minutes: i64) -> Option<Comparison> {
    let after_pause = |is_pause: bool| -> Vec<f64> {
        let pairs = requests.iter().zip(requests.iter().skip(1));
        let of_kind = pairs.filter(|(before, now)| (now.minute.since(before.minute) > minutes) == is_pause);
        of_kind.map(|(_, now)| now.latency).collect()
    };
    let (after, in_a_row) = (after_pause(true), after_pause(false));
    if after.len() < ENOUGH || in_a_row.len() < ENOUGH {
        return None;
    }
    // How often one after a pause is slower than one in a row (the Mann-Whitney statistic); half is chance.
    let slower: usize = after.iter().map(|cold| in_a_row.iter().filter(|warm| cold > warm).count()).sum();
    let share = super::windows::share(slower, after.len() * in_a_row.len());
    let (cold, warm) = (median(after.iter().copied())?, median(in_a_row.iter().copied())?);
    let ratio = cold / warm;
    let pause = if minutes == 1 { "a minute".to_owned() } else { format!("{minutes} minutes") };
    let text = format!(
        "{} requests after a pause of more than {pause} took {} (median, overhead included), {} in a row \
         took {}",
        whole(after.len()),
        Microseconds(cold),
        whole(in_a_row.len()),
        Microseconds(warm)
    );
    let is_cold = ratio.is_finite() && ratio > COLD && share > SLOWER_SHARE;
    is_cold.then(|| Comparison { text, ratio, confidence: confidence(ratio, COLD) })
}

/// Requests that were alone in their minute against the fastest of minutes with several.
fn alone_in_its_minute(requests: &[Sparse]) -> Option<Comparison> {
    let alone: Vec<f64> = requests.iter().filter(|sparse| sparse.count < 1.5).map(|sparse| sparse.latency).collect();
    let followed: Vec<f64> =
        requests.iter().filter(|sparse| sparse.count > 1.5).filter_map(|sparse| sparse.fastest).collect();
    if alone.len() < ENOUGH || followed.len() < ENOUGH {
        return None;
    }
    let (cold, warm) = (median(alone.iter().copied())?, median(followed.iter().copied())?);
    let ratio = cold / warm;
    let text = format!(
        "{} requests that were alone in their minute took {} (median, overhead included), the fastest of {} minutes \
         with several took {}",
        whole(alone.len()),
        Microseconds(cold),
        whole(followed.len()),
        Microseconds(warm)
    );
    let is_cold = ratio.is_finite() && ratio > COLD_AGAINST_FASTEST;
    is_cold.then(|| Comparison { text, ratio, confidence: confidence(ratio, COLD_AGAINST_FASTEST) })
}

/// Nearly every request comes after a pause, and they are over the objective.
fn slow_after_every_pause(requests: &[Sparse], observation: &Observation, per_minute: f64) -> Option<Comparison> {
    let objective = observation.objective?.latency_slo_ms.to_microseconds().0;
    let latest: Vec<f64> = requests.iter().rev().take(LATEST).map(|sparse| sparse.latency).collect();
    if latest.len() < LATEST || per_minute > SPARSE_PER_MINUTE {
        return None;
    }
    let over = latest.iter().filter(|latency| **latency > objective).count();
    let slow = median(latest.iter().copied())?;
    let text = format!(
        "a request comes every {:.1} minutes, and {} of the last {} took more than the objective ({} in the median, \
         overhead included)",
        1.0 / per_minute,
        whole(over),
        whole(LATEST),
        Microseconds(slow)
    );
    (over >= LATEST_OVER).then(|| Comparison { text, ratio: slow / objective, confidence: 0.6 })
}
