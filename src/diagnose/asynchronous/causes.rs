//! The causes that are considered on asynchronous endpoints.

use super::measured::{Measured, Share, Transfer, duration};
use crate::diagnose::check::{Check, Judgement, NOT_EXCLUDED};
use crate::model::{InstanceCount, Microseconds, Thousands, Verdict};

/// Each of them; where two are equally strong, the earlier one is named.
pub(super) const CAUSES: &[fn(&Measured) -> Judgement] =
    &[backlog, slow_model, model_errors, client_errors, storage, transient];

/// A queue that is empty within so many minutes at the present rates needs nobody: new instances take ten to come and as long
/// to be worth it.
const CLEARS_SOON_MINUTES: f64 = 20.0;
/// More in the queue than usual by this factor is more than chance.
const BEYOND_USUAL: f64 = 1.5;
/// The oldest request of a queue that keeps up has waited less than this.
const LONG_WAIT_SECONDS: f64 = 300.0;
/// Failures above this share dominate, as on endpoints that answer at once.
const DOMINATES: f64 = 0.05;
/// One or two requests that fail in ten minutes are chance, whatever their share.
const FEW: f64 = 2.5;
/// So much slower than usual is no chance.
const SLOWER: f64 = 1.3;
/// One instance does less than this share of what it did.
const DOES_LESS: f64 = 0.8;
/// S3 takes long where it takes so many times as long as usual, and so long.
const SLOW_TRANSFER: f64 = 3.0;
const SLOW_TRANSFER_MICROSECONDS: f64 = 1_000_000.0;

fn backlog(measured: &Measured) -> Judgement {
    let sub_cause = sub_cause(measured);
    let checks = vec![
        waits(measured),
        does_not_clear(measured),
        few(measured.failed, "failed"),
        few(measured.not_fetched, "could not be fetched from S3"),
        few(measured.not_stored, "could not be stored in S3"),
    ];
    Judgement {
        verdict: Verdict::Backlog,
        sub_cause: Some(sub_cause),
        summary: format!("{}{}.", measured.in_words(), because(measured, sub_cause)),
        next_steps: steps(measured, sub_cause),
        checks,
    }
}

/// More requests are in the queue than usual, or they wait long.
fn waits(measured: &Measured) -> Check {
    if measured.has_no_capacity {
        let text = "requests wait and there is no instance to process them".to_owned();
        return Check::above("backlog_without_capacity", Some(1.0), 0.5, 0.25, text).unit("flag", 0.0);
    }
    let usual = measured.usual.as_ref();
    let ratio = usual.map(|usual| (measured.backlog + 1.0) / (usual.backlog + 1.0));
    let text = usual.map_or_else(
        || format!("{} requests are in the queue; what is usual is not known", Thousands(measured.backlog)),
        |usual| {
            format!(
                "{} requests are in the queue; {:.0} in 100 minutes it was {} or fewer",
                Thousands(measured.backlog),
                100.0 * usual.share,
                Thousands(usual.backlog)
            )
        },
    );
    let beyond = Check::by("backlog_ratio", ratio, ratio.map_or(0.0, |ratio| (ratio / BEYOND_USUAL).log2()), text);
    let beyond = if measured.is_saturated || measured.rate.is_none() { beyond } else { beyond.and(idle(measured)) };
    let age = measured.age_seconds;
    let text = age.map_or_else(
        || "how long requests wait is not known".to_owned(),
        |age| format!("the oldest request has waited {}", duration(age)),
    );
    let long = Check::by("age_of_oldest_request", age, age.map_or(0.0, |age| (age / LONG_WAIT_SECONDS).log2()), text);
    beyond.or(long.unit("seconds", LONG_WAIT_SECONDS))
}

/// What is in the queue is in work: nothing waits.
fn idle(measured: &Measured) -> Check {
    let text = "what is in the queue is being processed; nothing waits".to_owned();
    Check::by("saturated_minutes", Some(0.0), if measured.is_saturated { 1.0 } else { -1.0 }, text).unit("flag", 0.0)
}

/// The queue grows, or takes long to become empty.
fn does_not_clear(measured: &Measured) -> Check {
    let minutes = measured.minutes_to_clear();
    let text = match minutes {
        Some(minutes) if minutes.is_finite() => {
            format!("at the present rates the queue is empty in {}", duration(60.0 * minutes))
        }
        Some(_) => "at the present rates the queue never becomes empty".to_owned(),
        None => "whether the queue grows is not known".to_owned(),
    };
    let margin = minutes.map_or(0.0, |minutes| (minutes / CLEARS_SOON_MINUTES).log2());
    Check::by("minutes_to_clear", minutes.map(|minutes| minutes.min(1e6)), margin, text)
        .unit("minutes", CLEARS_SOON_MINUTES)
}

/// What changed most: what arrives, what serves, or what each of them does.
fn sub_cause(measured: &Measured) -> &'static str {
    if measured.has_no_capacity {
        return "no_capacity";
    }
    let usual = measured.usual.as_ref();
    let more =
        measured.arrived.zip(usual.and_then(|usual| usual.arrived)).map_or(1.0, |(now, usual)| now / usual.max(0.1));
    let running = measured.running.map(|running| f64::from(running.0));
    let lost = measured.instances_before.zip(running).map_or(1.0, |(before, now)| before / now.max(0.5));
    let by_rate = measured.rate.zip(usual.and_then(|usual| usual.rate)).map(|(now, usual)| usual / now.max(1e-6));
    let slower = by_rate.or(measured.latency_ratio).unwrap_or(1.0);
    if slower > (1.0 / DOES_LESS).max(more).max(lost) {
        "slower_processing"
    } else if lost > more.max(1.2) {
        "capacity_loss"
    } else {
        "traffic_growth"
    }
}

fn because(measured: &Measured, sub_cause: &str) -> String {
    let usual = measured.usual.as_ref();
    let changed = match sub_cause {
        "slower_processing" => {
            let rate = measured.rate.zip(usual.and_then(|usual| usual.rate));
            rate.map(|(now, before)| {
                format!("one instance processes {} a minute where it processed {}", Thousands(now), Thousands(before))
            })
            .or(measured.latency_ratio.map(|ratio| format!("the model takes {ratio:.1} times as long as usual")))
        }
        "capacity_loss" => measured.instances_before.zip(measured.running).map(|(before, now)| {
            let were = if before.round() > 1.5 { "served" } else { "served alone" };
            format!("{before:.0} {were} before, and {now} now")
        }),
        "traffic_growth" => usual
            .and_then(|usual| usual.arrived)
            .map(|arrived| format!("{} a minute is the most that usually arrives", Thousands(arrived))),
        _ => None,
    };
    changed.map(|changed| format!("; {changed}")).unwrap_or_default()
}

fn steps(measured: &Measured, sub_cause: &str) -> Vec<String> {
    let mut steps = match sub_cause {
        "no_capacity" => vec![
            "Nothing starts an endpoint at zero instances but a step policy on HasBacklogWithoutCapacity: target tracking on the \
             backlog per instance has no metric there."
                .to_owned(),
        ],
        "slower_processing" => vec![
            "Look for what made requests slower (a deployment, larger inputs, a dependency, memory); instances only work off \
             what waits meanwhile."
                .to_owned(),
        ],
        "capacity_loss" => vec!["Look at the scaling activities for why instances went.".to_owned()],
        _ => vec![],
    };
    if measured.expired.is_some_and(|expired| expired > 0.0) {
        steps.push(
            "Requests are dropped because they wait longer than InvocationTimeoutSeconds and RequestTTLSeconds allow: send them again."
                .to_owned(),
        );
    }
    steps
}

fn few(share: Share, what: &str) -> Check {
    let text = share_in_words(share, what);
    let small = Check::below(failures_signal(what), share.now, DOMINATES, 0.04, text.clone()).share(share.usual);
    small.or(Check::below(failures_signal(what), share.count, FEW, 1.5, text).unit("requests", 0.0)).or_if_missing(1.0)
}

fn many(share: Share, what: &str) -> Check {
    let threshold = DOMINATES.max(3.0 * share.usual);
    let text = share_in_words(share, what);
    let large = Check::above(failures_signal(what), share.now, threshold, 0.04, text.clone()).share(share.usual);
    large.and(Check::above(failures_signal(what), share.count, FEW, 1.5, text).unit("requests", 0.0))
}

fn failures_signal(what: &str) -> &'static str {
    match what {
        "failed" => "failed_share",
        "were refused by the model" => "refused_share",
        "could not be fetched from S3" => "download_failure_share",
        _ => "upload_failure_share",
    }
}

fn share_in_words(share: Share, what: &str) -> String {
    match share.now {
        Some(now) => format!("{:.1} % of the requests {what} (usually {:.1} %)", 100.0 * now, 100.0 * share.usual),
        None => format!("it is not known how many requests {what}"),
    }
}

fn slow_model(measured: &Measured) -> Judgement {
    let ratio = measured.latency_ratio;
    let now = measured.latency.map(|latency| Microseconds(latency).to_string()).unwrap_or("unknown".to_owned());
    let text = ratio.map_or("how long the model usually takes is not known".to_owned(), |ratio| {
        format!("the model takes {ratio:.2} times as long as usual ({now})")
    });
    let slower = Check::by("model_latency_ratio", ratio, ratio.map_or(0.0, |ratio| (ratio / SLOWER).ln() / 0.4), text);
    let over = measured.over_objective;
    let text = over
        .map_or("no objective is known".to_owned(), |over| format!("ModelLatency is {over:.2} times its objective"));
    let over =
        Check::by("over_objective", over, over.map_or(0.0, |over| over.ln() / 0.2), text).or_if_missing(NOT_EXCLUDED);
    // One of both that does not hold is enough.
    let nothing_waits = waits(measured).and(does_not_clear(measured)).against();
    Judgement {
        verdict: Verdict::SlowModel,
        sub_cause: None,
        summary: format!("the model takes {} times as long as usual, and the queue keeps up.", ratio.map_or("more".to_owned(), |ratio| format!("{ratio:.1}"))),
        next_steps: vec!["Profile the inference code, and compare with the last deployment: more instances do not make a request faster.".to_owned()],
        checks: vec![slower, over, nothing_waits, few(measured.failed, "failed")],
    }
}

fn model_errors(measured: &Measured) -> Judgement {
    Judgement {
        verdict: Verdict::ModelErrors,
        sub_cause: None,
        summary: format!("{}.", share_in_words(measured.failed, "failed")),
        next_steps: vec!["Read the container's log (log group /aws/sagemaker/Endpoints/…, stream ending in data-log): failed requests are not tried again.".to_owned()],
        checks: vec![many(measured.failed, "failed"), few(measured.not_fetched, "could not be fetched from S3")],
    }
}

fn client_errors(measured: &Measured) -> Judgement {
    let (refused, not_fetched) = (
        many(measured.refused, "were refused by the model"),
        many(measured.not_fetched, "could not be fetched from S3"),
    );
    let is_storage = not_fetched.margin() > refused.margin();
    let step = if is_storage {
        "Check that the objects named in InputLocation exist, and that the endpoint's role may read them."
    } else {
        "Look at what callers send: the model answers with a 4xx."
    };
    let check = refused.or(not_fetched);
    Judgement {
        verdict: Verdict::ClientErrors,
        sub_cause: is_storage.then_some("request_download_failures"),
        summary: format!("{}.", check.text()),
        next_steps: vec![step.to_owned()],
        checks: vec![check],
    }
}

/// S3 takes many times as long as usual, and long.
fn slow_transfer(transfer: Transfer, signal: &'static str, what: &str) -> Check {
    let known = transfer.ratio.zip(transfer.microseconds);
    let text = known.map_or(format!("how long {what} takes is not known"), |(ratio, now)| {
        format!("{what} takes {}, {ratio:.1} times what is usual", Microseconds(now))
    });
    let margin =
        known.map_or(0.0, |(ratio, now)| (ratio / SLOW_TRANSFER).log2().min((now / SLOW_TRANSFER_MICROSECONDS).log2()));
    Check::by(signal, transfer.ratio, margin, text)
}

fn slow_download(measured: &Measured) -> Check {
    slow_transfer(measured.download, "download_latency_ratio", "fetching a request from S3")
}

fn slow_upload(measured: &Measured) -> Check {
    slow_transfer(measured.upload, "upload_latency_ratio", "storing an answer in S3")
}

/// S3 is as it always is.
fn is_stored_as_usual(measured: &Measured) -> Check {
    slow_download(measured).or(slow_upload(measured)).against().or_if_missing(1.0)
}

/// S3 takes long, or does not take answers: time and failures outside the model.
fn storage(measured: &Measured) -> Judgement {
    let candidates = [
        (
            slow_download(measured),
            "request_download",
            "Look at the size of the inputs and at the way to S3: a VPC endpoint, the same Region, a KMS key that throttles.",
        ),
        (
            slow_upload(measured),
            "response_upload",
            "Look at the size of the answers and at the way to S3: a VPC endpoint, the same Region, a KMS key that throttles.",
        ),
        (
            many(measured.not_stored, "could not be stored in S3"),
            "response_upload_failures",
            "Check that the endpoint's role may write to S3OutputPath, and that its bucket and key exist.",
        ),
    ];
    let [first, second, third] = candidates;
    let best = [second, third]
        .into_iter()
        .fold(first, |best, next| if next.0.margin() > best.0.margin() { next } else { best });
    Judgement {
        verdict: Verdict::Overhead,
        sub_cause: Some(best.1),
        summary: format!("{}.", best.0.text()),
        next_steps: vec![best.2.to_owned()],
        checks: vec![best.0],
    }
}

fn transient(measured: &Measured) -> Judgement {
    let calm = waits(measured).and(does_not_clear(measured)).against();
    let ratio = measured.latency_ratio;
    let fast = Check::below(
        "model_latency_ratio",
        ratio,
        SLOWER,
        0.2,
        ratio.map_or("how long the model usually takes is not known".to_owned(), |ratio| {
            format!("the model takes {ratio:.2} times as long as usual")
        }),
    )
    // Where nothing is in the queue, nothing is slow.
    .or_if_missing(if measured.backlog <= 0.0 { 1.0 } else { NOT_EXCLUDED });
    let serves = measured.running != Some(InstanceCount(0)) || measured.backlog <= 0.0;
    let text = if serves { "nothing waits without an instance" } else { "requests wait without an instance" };
    Judgement {
        verdict: Verdict::Transient,
        sub_cause: None,
        summary: format!("{}; the queue keeps up.", measured.in_words()),
        next_steps: vec!["Nothing: the queue is as it usually is, or is being worked off.".to_owned()],
        checks: vec![
            calm,
            fast,
            few(measured.failed, "failed"),
            few(measured.refused, "were refused by the model"),
            few(measured.not_fetched, "could not be fetched from S3"),
            few(measured.not_stored, "could not be stored in S3"),
            is_stored_as_usual(measured),
            Check::by("capacity", Some(0.0), if serves { 1.0 } else { -1.0 }, text.to_owned()).unit("flag", 0.0),
        ],
    }
}
