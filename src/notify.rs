//! [`Report`] → SNS: one message for people and machines, one card for chat.

use crate::aws::{Aws, CallError};
use crate::config::Settings;
use crate::fleet::{self, Summary};
use crate::model::Report;
use crate::report::{card, message};
use aws_sdk_sns::config::{Builder, Region};
use aws_sdk_sns::types::MessageAttributeValue;
use futures::future::{OptionFuture, join};

const ACTION: &str = "sns:Publish";

/// Publishes a report to both topics, at the same time; a topic that is not set is left out.
///
/// # Errors
/// [`CallError`] where a topic did not take it. The other topic may have: people hear of it at least once.
pub async fn publish(aws: &Aws, settings: &Settings, report: &Report) -> Result<(), CallError> {
    let (people, chat) = join(
        OptionFuture::from(settings.report_topic_arn.as_deref().map(|topic| publish_report(aws, topic, report))),
        OptionFuture::from(
            settings.chat_topic_arn.as_deref().map(|topic| publish_card(aws, topic, card::render(report).to_string())),
        ),
    )
    .await;
    people.unwrap_or(Ok(())).and(chat.unwrap_or(Ok(())))
}

async fn publish_report(aws: &Aws, topic: &str, report: &Report) -> Result<(), CallError> {
    let message = message::render(report);
    publish_text(aws, topic, message.subject, message.body, message.attributes.into()).await
}

async fn publish_text(
    aws: &Aws,
    topic: &str,
    subject: String,
    body: String,
    attributes: Vec<(&'static str, String)>,
) -> Result<(), CallError> {
    let mut call = aws.sns.publish().topic_arn(topic).message_structure("json").subject(subject).message(body);
    for (name, value) in attributes {
        let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
        call = call.message_attributes(name, value.map_err(|error| CallError::unexpected(ACTION, error))?);
    }
    let call = call.customize().config_override(where_it_is(topic)).send().await;
    call.map(|_| ()).map_err(|error| CallError::new(ACTION, error))
}

/// The card is the whole message: Amazon Q Developer shows nothing else.
async fn publish_card(aws: &Aws, topic: &str, card: String) -> Result<(), CallError> {
    let call = aws.sns.publish().topic_arn(topic).message(card);
    let call = call.customize().config_override(where_it_is(topic)).send().await;
    call.map(|_| ()).map_err(|error| CallError::new(ACTION, error))
}

/// Publishes the summary of an audit to both topics.
///
/// # Errors
/// [`CallError`] where a topic did not take it.
pub async fn publish_summary(aws: &Aws, settings: &Settings, summary: &Summary) -> Result<(), CallError> {
    let fleet::message::Message { subject, body, attributes } = fleet::message::render(summary);
    let attributes = attributes.map(|(name, value)| (name, value.to_owned()));
    let card = fleet::message::card(summary).to_string();
    let (people, chat) = join(
        OptionFuture::from(
            settings
                .report_topic_arn
                .as_deref()
                .map(|topic| publish_text(aws, topic, subject, body, attributes.into())),
        ),
        OptionFuture::from(settings.chat_topic_arn.as_deref().map(|topic| publish_card(aws, topic, card))),
    )
    .await;
    people.unwrap_or(Ok(())).and(chat.unwrap_or(Ok(())))
}

/// SNS knows the topics of its own Region only, and the topic of an organisation may be in another one.
fn where_it_is(topic: &str) -> Builder {
    let region = topic.split(':').nth(3).map(|region| Region::new(region.to_owned()));
    let mut overrides = aws_sdk_sns::Config::builder();
    overrides.set_region(region);
    overrides
}
