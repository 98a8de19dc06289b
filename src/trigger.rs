//! An event as it arrives (JSON) → [`Trigger`]s.
//!
//! Pure. The shapes are told apart by their keys before anything is decoded: an EventBridge alarm event would otherwise
//! decode as a direct alarm action with every field empty.

mod alarm;
mod by_hand;

use crate::model::{Home, Origin, Trigger, TriggerKind};
use aws_lambda_events::event::{eventbridge::EventBridgeEvent, sns::SnsEvent, sqs::SqsEvent};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An event that nobody here understands.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEvent {
    /// None of the shapes.
    #[error(
        "the event is none of: an EventBridge `CloudWatch Alarm State Change`, a Lambda alarm action (`alarmData`), \
         an SNS notification of an alarm, SQS records of these, or `{{\"advise\":…}}`, `{{\"follow_up\":…}}`, \
         `{{\"audit\":…}}`, `{{\"apply\":…}}`"
    )]
    UnknownShape,
    /// The body of a queue message, or the message of a notification, is not JSON.
    #[error("the {0} is not JSON")]
    NotJson(&'static str, #[source] serde_json::Error),
    /// One of the shapes, with something missing or of the wrong type.
    #[error("the {shape} event is not as expected")]
    Malformed {
        /// Which shape.
        shape: &'static str,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// One of the shapes, with a value that cannot be.
    #[error("the {shape} event has {detail}")]
    Refused {
        /// Which shape.
        shape: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// An alarm of another account or Region.
    #[error("alarm `{alarm_name}` is of {elsewhere}, and this function answers for {home}")]
    Elsewhere {
        /// Which alarm.
        alarm_name: String,
        /// The account or the Region that it names.
        elsewhere: String,
        /// Where the function is.
        home: String,
    },
}

impl Trigger {
    /// Whether it may be answered here: an alarm of another account or Region may be about an endpoint of the same name.
    ///
    /// # Errors
    /// [`InvalidEvent::Elsewhere`] where it may not.
    pub fn at_home(&self, home: &Home) -> Result<(), InvalidEvent> {
        let (Self::Alarm(alarm) | Self::AlarmOk(alarm)) = self else { return Ok(()) };
        alarm.origin.elsewhere(home).map_or(Ok(()), |elsewhere| {
            let (alarm_name, elsewhere) = (alarm.alarm_name.clone(), elsewhere.to_owned());
            Err(InvalidEvent::Elsewhere { alarm_name, elsewhere, home: home.to_string() })
        })
    }
}

/// One event: what it asks for, or a batch of messages from the queue.
#[derive(Debug)]
pub enum Event {
    /// Anything but SQS.
    One(Trigger),
    /// SQS records; each stands or falls on its own.
    Queue(Vec<QueueMessage>),
}

/// One SQS record.
#[derive(Debug)]
pub struct QueueMessage {
    /// `messageId`, by which a failure of this record alone is answered.
    pub message_id: String,
    /// What its body asks for.
    pub trigger: Result<Trigger, InvalidEvent>,
}

/// Reads one event of any accepted shape.
///
/// # Errors
/// [`InvalidEvent`] where the event as a whole is not understood. A bad record of a queue batch is an error of that
/// record only.
pub fn parse(event: Value) -> Result<Event, InvalidEvent> {
    if record_source(&event, "eventSource") == Some("aws:sqs") {
        let batch: SqsEvent = decode("SQS", event)?;
        let message = |record: aws_lambda_events::event::sqs::SqsMessage| QueueMessage {
            message_id: record.message_id.unwrap_or_default(),
            trigger: json("body of the queue message", record.body.as_deref().unwrap_or_default()).and_then(one),
        };
        return Ok(Event::Queue(batch.records.into_iter().map(message).collect()));
    }
    one(event).map(Event::One)
}

/// Reads anything but an SQS batch.
fn one(event: Value) -> Result<Trigger, InvalidEvent> {
    let has = |key: &str| event.get(key).is_some();
    if has("detail-type") {
        let envelope: EventBridgeEvent<Value> = decode("EventBridge", event)?;
        if envelope.detail_type != alarm::EVENTBRIDGE_DETAIL_TYPE {
            let detail =
                format!("detail-type `{}`, and `{}` is expected", envelope.detail_type, alarm::EVENTBRIDGE_DETAIL_TYPE);
            return Err(InvalidEvent::Refused { shape: "EventBridge", detail });
        }
        let arns = envelope.resources.iter().flatten().fold(Origin::default(), |origin, arn| origin.and_arn(Some(arn)));
        let origin = arns.and_account(envelope.account).and_region(envelope.region);
        return alarm::state_change(TriggerKind::EventbridgeAlarm, origin, envelope.detail);
    }
    if let Some(data) = event.get("alarmData") {
        let text = |key: &str| event.get(key).and_then(Value::as_str).map(str::to_owned);
        let origin = Origin::default().and_arn(text("alarmArn").as_deref()).and_account(text("accountId"));
        return alarm::state_change(TriggerKind::DirectAlarm, origin.and_region(text("region")), data.clone());
    }
    if record_source(&event, "EventSource") == Some("aws:sns") {
        let notification: SnsEvent = decode("SNS", event)?;
        // Lambda hands over one notification at a time; were it ever more, none may be lost in silence.
        let [record] = &notification.records[..] else {
            let detail = format!("{} records, and one is expected", notification.records.len());
            return Err(InvalidEvent::Refused { shape: "SNS", detail });
        };
        return alarm::notification(json("SNS message", &record.sns.message)?);
    }
    if event.get("Type").and_then(Value::as_str) == Some("Notification") {
        let message = event.get("Message").and_then(Value::as_str).unwrap_or_default();
        return alarm::notification(json("SNS message", message)?);
    }
    if has("AlarmName") {
        return alarm::notification(event);
    }
    by_hand::parse(&event)
}

/// `Records[0].<key>`, by which SQS and SNS are told apart.
fn record_source<'a>(event: &'a Value, key: &str) -> Option<&'a str> {
    event.get("Records")?.get(0)?.get(key)?.as_str()
}

fn json(what: &'static str, text: &str) -> Result<Value, InvalidEvent> {
    serde_json::from_str(text).map_err(|source| InvalidEvent::NotJson(what, source))
}

fn decode<T: DeserializeOwned>(shape: &'static str, value: Value) -> Result<T, InvalidEvent> {
    serde_json::from_value(value).map_err(|source| InvalidEvent::Malformed { shape, source })
}
