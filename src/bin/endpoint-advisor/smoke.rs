//! `smoke`: one harmless alarm through a deployment, from its queue to a subscriber of its reports.
//!
//! The alarm does not exist and is older than the advisor trusts without asking, so nothing can be written for it, also where the
//! deployment may write. The parts of a deployment are found by its own alarms, which are named after it: no right on
//! CloudFormation is needed, and a Terraform module is as good as a stack.

use crate::args::Smoke;
use crate::print::{Waiting, print};
use crate::{AWS_ERROR, Tool, ToolError, now};
use aws_sdk_cloudwatch::types::StateValue;
use aws_sdk_sagemaker::types::{EndpointSortKey, EndpointStatus};
use aws_sdk_sns::config::Region;
use aws_sdk_sqs::types::QueueAttributeName;
use endpoint_advisor::aws::{CallError, ErrorKind, Pace, configuration};
use endpoint_advisor::model::{EndpointName, IncidentKey, InvalidName, Report};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Older than the quarter of an hour for which an alarm is trusted without asking.
const AGE: SignedDuration = SignedDuration::from_mins(20);
/// One wait for a message, in seconds; SQS allows 20, and a call may take 15.
const WAIT_SECONDS: i32 = 5;

/// Sends the alarm, waits for its report, and says what it shows.
pub async fn run(tool: &Tool, arguments: Smoke) -> Result<ExitCode, ToolError> {
    let config = configuration(tool.profile.clone(), tool.region.clone(), Pace::Alone).await;
    let deployment = Deployment::find(&config, &arguments.stack, arguments.topic).await?;
    let (endpoint, variant) = watched(&config, arguments.endpoint, arguments.variant).await?;
    deployment.is_free(&config, &endpoint, &variant).await?;
    for line in deployment.words() {
        print(&line);
    }
    let name = format!("smoke-test-of-endpoint-advisor-{}", now().as_millisecond());
    let sns = aws_sdk_sns::Client::from_conf(
        aws_sdk_sns::config::Builder::from(&config).region(Region::new(deployment.topic_region())).build(),
    );
    let listener = Listener { sqs: aws_sdk_sqs::Client::new(&config), sns, name };
    let queue_url = listener.open().await?;
    let subscribed = listener.subscribe(&queue_url, &deployment.topic_arn, &endpoint).await;
    let report = match &subscribed {
        Ok(_) => listener.ask(&deployment, &queue_url, &endpoint, &variant, arguments.seconds).await,
        Err(_) => Ok(None),
    };
    // Whatever came of it, nothing is left behind.
    let closed = listener.close(&queue_url, subscribed.as_ref().ok()).await;
    subscribed?;
    closed?;
    let Some((report, seconds)) = report? else {
        print(&format!("No report of {endpoint}/{variant} within {} seconds.", arguments.seconds));
        print(&format!("Look into the log /aws/lambda/{}, and among the dead letters.", arguments.stack));
        return Ok(ExitCode::from(AWS_ERROR));
    };
    let verdict = report.diagnosis.verdict.name();
    print(&format!("A report of {} after {seconds} s: {verdict}; {}.", report.subject(), report.outcome.words()));
    let findings: Vec<String> = deployment.troubles.into_iter().chain(report.warnings).collect();
    for finding in &findings {
        print(&format!("! {finding}"));
    }
    if findings.is_empty() {
        print("It takes events, reads all that it needs, and is heard.");
    }
    Ok(ExitCode::from(u8::from(arguments.exit_code && !findings.is_empty())))
}

/// The parts of a deployment that an event passes.
struct Deployment {
    queue_url: String,
    topic_arn: String,
    /// Group of the schedules that remember incidents.
    group: String,
    /// Its own alarms that are on.
    troubles: Vec<String>,
}

impl Deployment {
    async fn find(config: &aws_types::SdkConfig, stack: &str, topic: Option<String>) -> Result<Self, ToolError> {
        let cloudwatch = aws_sdk_cloudwatch::Client::new(config);
        let prefix = format!("operations-{stack}-");
        let described = cloudwatch.describe_alarms().alarm_name_prefix(&prefix).send().await;
        let described = described.map_err(|error| CallError::new("cloudwatch:DescribeAlarms", error))?;
        let alarms = described.metric_alarms();
        let named_by = |suffix: &str| {
            let name = format!("{prefix}{suffix}");
            let alarm = alarms.iter().find(|alarm| alarm.alarm_name() == Some(&name));
            let value = alarm.and_then(|alarm| alarm.dimensions().first()).and_then(|dimension| dimension.value());
            let region = config.region().map(ToString::to_string).unwrap_or_default();
            let nobody = || {
                ToolError::BadInput(format!("no deployment `{stack}` in {region}: there is no alarm `{name}`"), None)
            };
            value.map(str::to_owned).ok_or_else(nobody)
        };
        let (queue, group) = (named_by("events-waiting")?, named_by("follow-ups-missed")?);
        let is_on = |alarm: &&aws_sdk_cloudwatch::types::MetricAlarm| alarm.state_value() == Some(&StateValue::Alarm);
        let words = |alarm: &aws_sdk_cloudwatch::types::MetricAlarm| {
            format!("{}: {}", alarm.alarm_name().unwrap_or_default(), alarm.alarm_description().unwrap_or_default())
        };
        let troubles = alarms.iter().filter(is_on).map(words).collect();
        let sqs = aws_sdk_sqs::Client::new(config);
        let url = sqs.get_queue_url().queue_name(queue).send().await;
        let url = url.map_err(|error| CallError::new("sqs:GetQueueUrl", error))?;
        let topic_arn = match topic {
            Some(topic) => topic,
            None => report_topic(config, stack).await?,
        };
        Ok(Self { queue_url: url.queue_url().unwrap_or_default().to_owned(), topic_arn, group, troubles })
    }

    /// An alarm that joins an open incident is told only where it is news.
    async fn is_free(&self, config: &aws_types::SdkConfig, endpoint: &str, variant: &str) -> Result<(), ToolError> {
        let invalid = |error: InvalidName| ToolError::BadInput(error.to_string(), None);
        let endpoint_name = EndpointName::parse(endpoint).map_err(invalid)?;
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let key = IncidentKey { region, endpoint_name, part: variant.to_owned() };
        let scheduler = aws_sdk_scheduler::Client::new(config);
        let open = scheduler.get_schedule().group_name(&self.group).name(key.schedule_name()).send().await;
        match open.map_err(|error| CallError::new("scheduler:GetSchedule", error)) {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => {
                let words = format!("an incident of {endpoint}/{variant} is open: choose another --endpoint");
                Err(ToolError::BadInput(words, None))
            }
        }
    }

    /// SNS knows the topics of its own Region only.
    fn topic_region(&self) -> String {
        self.topic_arn.split(':').nth(3).unwrap_or_default().to_owned()
    }

    fn words(&self) -> [String; 2] {
        [format!("Events go to {}", self.queue_url), format!("Reports come from {}", self.topic_arn)]
    }
}

/// The topic that CloudFormation or the Terraform module named after the deployment.
async fn report_topic(config: &aws_types::SdkConfig, stack: &str) -> Result<String, ToolError> {
    let prefixes = [format!("{stack}-ReportTopic-"), format!("{stack}-report-")];
    let mut topics = aws_sdk_sns::Client::new(config).list_topics().into_paginator().items().send();
    while let Some(topic) = topics.next().await {
        let topic = topic.map_err(|error| CallError::new("sns:ListTopics", error))?;
        let arn = topic.topic_arn().unwrap_or_default();
        if prefixes.iter().any(|prefix| arn.rsplit(':').next().is_some_and(|name| name.starts_with(prefix))) {
            return Ok(arn.to_owned());
        }
    }
    let words = format!("`{stack}` has no report topic of its own here: say --topic ARN");
    Err(ToolError::BadInput(words, None))
}

/// Whose alarm it is: what was asked for, else the first variant of the first endpoint that is `InService`.
async fn watched(
    config: &aws_types::SdkConfig,
    endpoint: Option<String>,
    variant: Option<String>,
) -> Result<(String, String), ToolError> {
    let sagemaker = aws_sdk_sagemaker::Client::new(config);
    let endpoint = match endpoint {
        Some(endpoint) => endpoint,
        None => {
            let call = sagemaker.list_endpoints().status_equals(EndpointStatus::InService);
            let listed = call.sort_by(EndpointSortKey::Name).max_results(1).send().await;
            let listed = listed.map_err(|error| CallError::new("sagemaker:ListEndpoints", error))?;
            let first = listed.endpoints().first().and_then(|endpoint| endpoint.endpoint_name());
            let nobody = || ToolError::BadInput("no endpoint is InService here to be asked about".to_owned(), None);
            first.ok_or_else(nobody)?.to_owned()
        }
    };
    if let Some(variant) = variant {
        return Ok((endpoint, variant));
    }
    let described = sagemaker.describe_endpoint().endpoint_name(&endpoint).send().await;
    let described = described.map_err(|error| CallError::new("sagemaker:DescribeEndpoint", error))?;
    let first = described.production_variants().first().and_then(|variant| variant.variant_name());
    let nobody = || ToolError::BadInput(format!("`{endpoint}` has no production variant"), None);
    let variant = first.ok_or_else(nobody)?.to_owned();
    Ok((endpoint, variant))
}

/// A queue that hears one endpoint's reports for a while.
struct Listener {
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
    /// Of the queue, and of the alarm.
    name: String,
}

impl Listener {
    /// Makes the queue.
    async fn open(&self) -> Result<String, CallError> {
        let queue = self.sqs.create_queue().queue_name(&self.name).send().await;
        let queue = queue.map_err(|error| CallError::new("sqs:CreateQueue", error))?;
        Ok(queue.queue_url().unwrap_or_default().to_owned())
    }

    /// Lets the topic send to the queue, and subscribes it to the reports of one endpoint.
    async fn subscribe(&self, queue_url: &str, topic_arn: &str, endpoint: &str) -> Result<String, CallError> {
        let attributes = self.sqs.get_queue_attributes().queue_url(queue_url);
        let attributes = attributes.attribute_names(QueueAttributeName::QueueArn).send().await;
        let attributes = attributes.map_err(|error| CallError::new("sqs:GetQueueAttributes", error))?;
        let arn = attributes.attributes().and_then(|found| found.get(&QueueAttributeName::QueueArn));
        let arn = arn.cloned().unwrap_or_default();
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
        }]});
        let call = self.sqs.set_queue_attributes().queue_url(queue_url);
        let set = call.attributes(QueueAttributeName::Policy, policy.to_string()).send().await;
        set.map_err(|error| CallError::new("sqs:SetQueueAttributes", error))?;
        let call = self.sns.subscribe().topic_arn(topic_arn).protocol("sqs").endpoint(arn);
        let call = call.attributes("RawMessageDelivery", "true").return_subscription_arn(true);
        let call = call.attributes("FilterPolicy", json!({"endpoint_name": [endpoint]}).to_string());
        let subscribed = call.send().await.map_err(|error| CallError::new("sns:Subscribe", error))?;
        Ok(subscribed.subscription_arn().unwrap_or_default().to_owned())
    }

    /// Sends the alarm, and waits for its report; with the seconds that it took.
    async fn ask(
        &self,
        deployment: &Deployment,
        queue_url: &str,
        endpoint: &str,
        variant: &str,
        seconds: u32,
    ) -> Result<Option<(Report, i64)>, CallError> {
        let sent_at = now();
        let event = alarm(&self.name, endpoint, variant, sent_at - AGE).to_string();
        let sent = self.sqs.send_message().queue_url(&deployment.queue_url).message_body(event).send().await;
        sent.map_err(|error| CallError::new("sqs:SendMessage", error))?;
        let _waiting = Waiting::on(format!("waiting for the report of {endpoint}/{variant}"));
        loop {
            let waited = now().duration_since(sent_at).as_secs();
            if waited >= i64::from(seconds) {
                return Ok(None);
            }
            let call = self.sqs.receive_message().queue_url(queue_url).max_number_of_messages(10);
            let received = call.wait_time_seconds(WAIT_SECONDS).send().await;
            let received = received.map_err(|error| CallError::new("sqs:ReceiveMessage", error))?;
            let reports = received.messages().iter().filter_map(|message| serde_json::from_str(message.body()?).ok());
            // Other alarms of the endpoint may be told meanwhile.
            let ours = |report: &Report| report.trigger.alarm_name.as_deref() == Some(&self.name);
            if let Some(report) = reports.into_iter().find(ours) {
                return Ok(Some((report, now().duration_since(sent_at).as_secs())));
            }
        }
    }

    /// Takes subscription and queue away again.
    async fn close(&self, queue_url: &str, subscription_arn: Option<&String>) -> Result<(), CallError> {
        let unsubscribed = match subscription_arn {
            Some(arn) => self.sns.unsubscribe().subscription_arn(arn).send().await.map(|_| ()),
            None => Ok(()),
        };
        let deleted = self.sqs.delete_queue().queue_url(queue_url).send().await;
        unsubscribed.map_err(|error| CallError::new("sns:Unsubscribe", error))?;
        deleted.map(|_| ()).map_err(|error| CallError::new("sqs:DeleteQueue", error))
    }
}

/// An alarm on `ModelLatency` that went on at this time, as EventBridge tells it.
fn alarm(name: &str, endpoint: &str, variant: &str, at: Timestamp) -> Value {
    let time = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "version": "0", "id": name, "detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch", "time": time,
        "detail": {
            "alarmName": name,
            "configuration": {"description": "A test of Endpoint Advisor: nothing is wrong", "metrics": [{
                "id": "latency", "returnData": true,
                "metricStat": {"period": 60, "stat": "p90", "metric": {
                    "namespace": "AWS/SageMaker", "name": "ModelLatency",
                    "dimensions": {"EndpointName": endpoint, "VariantName": variant},
                }},
            }]},
            "state": {"value": "ALARM", "reason": "endpoint-advisor smoke", "timestamp": time},
        },
    })
}
