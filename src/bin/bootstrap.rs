//! The Lambda function: clients once, then each event through the pipeline.

use aws_lambda_events::event::sqs::SqsBatchResponse;
use endpoint_advisor::advise::{AdviseError, Host, ONE_EVENT, advise};
use endpoint_advisor::aws::{Aws, Pace, Remaining, chain};
use endpoint_advisor::config::Settings;
use endpoint_advisor::model::{Home, Report, Trigger};
use endpoint_advisor::report::emf;
use endpoint_advisor::trigger::{self, Event};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Instant;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Whose lines are ours: the library's and this program's.
const OURS: [&str; 2] = ["endpoint_advisor", "bootstrap"];

/// An error as Lambda reports it: its type says whether and whom to call.
#[derive(Debug)]
struct Failure(AdviseError);

impl From<Failure> for Diagnostic {
    fn from(Failure(error): Failure) -> Self {
        Self { error_type: error.error_type().to_owned(), error_message: chain(&error) }
    }
}

/// Reads one variable of the environment.
#[expect(clippy::disallowed_methods, reason = "a binary is where the environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Lines of our own at this level. Those of the SDKs stay at INFO, whatever is asked for: below that they hold what AWS answers, as the
/// environment variables of a model's container, which may hold secrets.
fn log_as_json(level: Level) {
    let shown = Targets::new().with_default(level.min(Level::INFO)).with_targets(OURS.map(|target| (target, level)));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false);
    tracing_subscriber::registry().with(lines).with(shown).init();
}

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "a binary is where the clock is read")]
fn now() -> Timestamp {
    Timestamp::now()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let level = variable("AWS_LAMBDA_LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(Level::INFO);
    log_as_json(level);
    let settings = Settings::read(variable);
    for problem in &settings.defaults.problems {
        tracing::warn!("{problem}");
    }
    let aws = endpoint_advisor::aws::load(None, None, Pace::Shared).await;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| handle(&aws, &settings, event).await)).await
}

async fn handle(aws: &Aws, settings: &Settings, event: LambdaEvent<Value>) -> Result<Value, Failure> {
    let remaining = until(event.context.deadline);
    let home = Home::of_function(&event.context.invoked_function_arn);
    let host = Host { log: &log, home, remaining: Arc::clone(&remaining) };
    match trigger::parse(event.payload).map_err(|error| Failure(error.into()))? {
        Event::One(trigger) => answer(aws, settings, trigger, &host).await.map_err(Failure),
        Event::Queue(messages) => {
            let mut failed = SqsBatchResponse::default();
            for (index, message) in messages.into_iter().enumerate() {
                let has_time = index == 0 || remaining().is_none_or(|left| left > ONE_EVENT);
                let answered = match message.trigger {
                    Ok(_) if !has_time => Err(AdviseError::OutOfTime),
                    Ok(trigger) => answer(aws, settings, trigger, &host).await.map(|_| ()),
                    Err(error) => Err(error.into()),
                };
                if let Err(error) = answered {
                    tracing::error!(
                        message_id = message.message_id,
                        error_type = error.error_type(),
                        "{}",
                        chain(&error)
                    );
                    failed.add_failure(message.message_id);
                }
            }
            Ok(json!(failed))
        }
    }
}

/// The time that is left until a deadline in milliseconds since 1970; none where that was over when its event arrived, because Lambda
/// sends no such event, and `cargo lambda watch` knows no deadline. It goes by the clock that nobody sets.
#[expect(clippy::disallowed_methods, reason = "a binary is where the clock is read")]
fn until(deadline: u64) -> Remaining {
    let began = Instant::now();
    let deadline = Timestamp::from_millisecond(i64::try_from(deadline).unwrap_or(i64::MAX)).ok();
    let whole = deadline.map(|deadline| deadline.duration_since(now())).filter(|whole| whole.is_positive());
    Arc::new(move || {
        let gone = SignedDuration::try_from(began.elapsed()).unwrap_or(SignedDuration::MAX);
        whole.map(|whole| whole.saturating_sub(gone))
    })
}

/// Answers one trigger, and logs what it cost.
async fn answer(aws: &Aws, settings: &Settings, trigger: Trigger, host: &Host<'_>) -> Result<Value, AdviseError> {
    // On the heap: the futures of all stages nested are deeper than the compiler lays out inline.
    let advice = Box::pin(advise(aws, settings, trigger, now(), host)).await;
    let asked = aws.take_asked();
    let calls: u32 = asked.requests.values().sum();
    tracing::info!(aws_calls = calls, read_rounds = asked.rounds, by_operation = %json!(asked.requests), "advised");
    print(&emf::of_event(calls, now()));
    let advice = advice?;
    if let Some(reason) = &advice.ignored {
        tracing::info!(reason, "ignored");
    }
    let summary = advice.summary.map(|summary| json!(summary));
    if let Some(summary) = &summary {
        print(&json!({"audit": summary}));
    }
    let mut answer = Map::from_iter([("reports".to_owned(), json!(advice.reports))]);
    answer.extend(summary.map(|summary| ("audit".to_owned(), summary)));
    answer.extend(advice.ignored.map(|reason| ("ignored".to_owned(), json!(reason))));
    Ok(Value::Object(answer))
}

/// The whole report, and what is counted of it.
fn log(report: &Report) {
    print(&json!(report));
    print(&emf::of_report(report, now()));
}

/// One line of JSON: neither a reader of reports nor CloudWatch looks into what is wrapped.
#[expect(clippy::print_stdout, reason = "standard output is the function's log")]
fn print(line: &Value) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_until_the_deadline() {
        let left = until(u64::try_from(now().as_millisecond()).unwrap() + 60_000)().unwrap();
        assert!(left > SignedDuration::from_secs(59) && left <= SignedDuration::from_secs(60), "{left}");
    }

    #[test]
    fn a_deadline_of_1970_is_none() {
        assert_eq!(until(0)(), None);
        assert_eq!(until(1_000)(), None);
        // Nor is one that no timestamp can hold.
        assert_eq!(until(u64::MAX)(), None);
    }
}
