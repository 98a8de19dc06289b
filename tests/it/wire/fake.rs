//! AWS on the wire: answers each operation from a table, and keeps what was asked.
//!
//! This is the seam where our use of the API is tested: the bodies are those that leave for AWS.

use super::form::form;
use super::time::Time;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::region::Region;
use ciborium::Value as Cbor;
use endpoint_advisor::aws::Aws;
use endpoint_advisor::model::{Metrics, Minute, Observation, Part, PartMetrics, Series, VariantName};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One answer.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Success, JSON services.
    Json(Value),
    /// Success, CloudWatch.
    Cbor(Cbor),
    /// An error of the service: status, code, message.
    Error(u16, &'static str, &'static str),
}

/// What was asked, in order: operation and body.
pub type Asked = Vec<(String, Value)>;

/// Whether a request, by its operation and body, is never answered.
type Silence = Box<dyn Fn(&str, &Value) -> bool + Send>;

/// Somebody who answers a part of the requests, and passes on the others.
pub type First = Arc<dyn Fn(SharedHttpClient) -> SharedHttpClient + Send + Sync>;

/// A stand-in for AWS.
#[derive(Clone, Default)]
pub struct Fake {
    /// Answers by operation; the last of several is repeated.
    answers: Arc<Mutex<BTreeMap<String, Vec<Answer>>>>,
    asked: Arc<Mutex<Asked>>,
    /// Whom each operation was asked of.
    hosts: Arc<Mutex<Vec<(String, String)>>>,
    observation: Option<Arc<Observation>>,
    /// What is never answered.
    silence: Arc<Mutex<Option<Silence>>>,
    /// What is executed, and the connection is reset before the answer.
    lost: Arc<Mutex<Option<Silence>>>,
    /// Who is asked before this stand-in.
    pub first: Option<First>,
    /// The schedules that exist, by name, each with the body that made it.
    schedules: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Fake")
    }
}

/// Retries are tested for what they ask, not for how long they wait.
#[derive(Debug)]
struct NoSleep;

impl AsyncSleep for NoSleep {
    fn sleep(&self, _: Duration) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}

impl Fake {
    /// AWS as it would have been when this observation was made.
    pub fn with(observation: &Observation) -> Self {
        let fake = Self { observation: Some(Arc::new(observation.clone())), ..Self::default() };
        let count = observation.variant.current_instance_count.unwrap().0;
        fake.answer("DescribeEndpoint", json!({
            "EndpointName": "orders", "EndpointArn": observation.endpoint.arn, "EndpointConfigName": "orders-7",
            "EndpointStatus": observation.endpoint.status, "CreationTime": 1_780_000_000.0, "LastModifiedTime": 1_789_898_400.0,
            "ProductionVariants": [{"VariantName": "AllTraffic", "CurrentInstanceCount": count, "DesiredInstanceCount": count}],
        }));
        fake.answer("DescribeEndpointConfig", json!({
            "EndpointConfigName": "orders-7", "EndpointConfigArn": "arn:aws:sagemaker:us-east-1:111122223333:endpoint-config/orders-7",
            "CreationTime": 1_789_898_100.0,
            "ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "orders", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 2}],
        }));
        fake.answer("DescribeModel", json!({
            "ModelName": "orders", "ModelArn": "arn:aws:sagemaker:us-east-1:111122223333:model/orders", "CreationTime": 1.0,
            "PrimaryContainer": {"Image": "image", "Mode": "SingleModel"},
        }));
        fake.answer("ListTags", json!({"Tags": []}));
        fake.answer("DescribeScalableTargets", json!({"ScalableTargets": []}));
        fake.answer("DescribeScalingPolicies", json!({"ScalingPolicies": []}));
        fake.answer("DescribeScalingActivities", json!({"ScalingActivities": []}));
        fake.answer("DescribeScheduledActions", json!({"ScheduledActions": []}));
        fake.answer("ListTagsForResource", json!({"Tags": {}}));
        for write in [
            "RegisterScalableTarget",
            "PutScalingPolicy",
            "PutScheduledAction",
            "TagResource",
            "DeregisterScalableTarget",
            "DeleteScalingPolicy",
            "DeleteScheduledAction",
            "UntagResource",
        ] {
            fake.answer(write, json!({"PolicyARN": "arn:policy"}));
        }
        fake
    }

    /// Sets the answer to an operation.
    pub fn answer(&self, operation: &str, answer: Value) {
        self.script(operation, vec![Answer::Json(answer)]);
    }

    /// Sets the answers to an operation, in order; the last one is repeated.
    pub fn script(&self, operation: &str, answers: Vec<Answer>) {
        self.answers.lock().unwrap().insert(operation.to_owned(), answers);
    }

    /// Sets what is never answered.
    pub fn never(&self, silence: impl Fn(&str, &Value) -> bool + Send + 'static) {
        *self.silence.lock().unwrap() = Some(Box::new(silence));
    }

    /// Sets what is executed without an answer: the connection is reset.
    pub fn lose(&self, lost: impl Fn(&str, &Value) -> bool + Send + 'static) {
        *self.lost.lock().unwrap() = Some(Box::new(lost));
    }

    /// What an operation answers now.
    pub fn answer_of(&self, operation: &str) -> Answer {
        self.answers.lock().unwrap()[operation][0].clone()
    }

    /// Everything that was asked.
    pub fn asked(&self) -> Asked {
        self.asked.lock().unwrap().clone()
    }

    /// The operations that were asked, sorted and without repetition.
    pub fn operations(&self) -> Vec<String> {
        let set: std::collections::BTreeSet<String> =
            self.asked().into_iter().map(|(operation, _)| operation).collect();
        set.into_iter().collect()
    }

    /// The requests that would have changed scaling.
    pub fn writes(&self) -> Asked {
        let reads = |operation: &str| ["Describe", "List", "Get"].iter().any(|prefix| operation.starts_with(prefix));
        let is_memory = |operation: &str| operation.ends_with("Schedule");
        let asked = self.asked().into_iter();
        asked.filter(|(operation, _)| !reads(operation) && !is_memory(operation) && operation != "Publish").collect()
    }

    /// The schedules that exist, by name.
    pub fn schedules(&self) -> BTreeMap<String, Value> {
        self.schedules.lock().unwrap().clone()
    }

    /// Puts a schedule there, as an earlier process left it.
    pub fn schedule(&self, name: &str, body: Value) {
        self.schedules.lock().unwrap().insert(name.to_owned(), body);
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }

    /// The messages that were published.
    pub fn published(&self) -> Vec<Value> {
        self.asked().into_iter().filter(|(operation, _)| operation == "Publish").map(|(_, body)| body).collect()
    }

    /// The hosts that an operation was asked of, in order.
    pub fn hosts(&self, operation: &str) -> Vec<String> {
        let hosts = self.hosts.lock().unwrap();
        hosts.iter().filter(|(asked, _)| asked == operation).map(|(_, host)| host.clone()).collect()
    }

    /// Clients that ask this stand-in.
    pub fn aws(&self) -> Aws {
        self.clients(SharedAsyncSleep::new(NoSleep))
    }

    /// The same, with waits that take their time.
    pub fn aws_in(&self, time: &Time) -> Aws {
        self.clients(SharedAsyncSleep::new(time.clone()))
    }

    fn clients(&self, sleep: SharedAsyncSleep) -> Aws {
        let fake = self.clone();
        let answers = infallible_client_fn(move |request: http::Request<SdkBody>| fake.respond(&request));
        let fake = self.clone();
        let http = http_client_fn(move |settings, components| {
            SharedHttpConnector::new(Wire { inner: answers.http_connector(settings, components), fake: fake.clone() })
        });
        let http = self.first.clone().map_or(http.clone(), |first| first(http));
        let credentials = Credentials::new("AKIATEST", "secret", None, None, "test");
        Aws::new(
            &SdkConfig::builder()
                .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
                .region(Region::new("us-east-1"))
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .http_client(http)
                .sleep_impl(sleep)
                .build(),
        )
    }

    fn respond(&self, request: &http::Request<SdkBody>) -> http::Response<SdkBody> {
        let (operation, body) = identified(request);
        self.asked.lock().unwrap().push((operation.clone(), body.clone()));
        self.hosts.lock().unwrap().push((operation.clone(), request.uri().host().unwrap_or_default().to_owned()));
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.get_mut(&operation) {
            Some(script) if script.len() > 1 => Some(script.remove(0)),
            Some(script) => script.first().cloned(),
            None => None,
        };
        drop(answers);
        let is_cbor = request.uri().path().contains("/operation/");
        match answer {
            Some(Answer::Json(json)) => response(200, "application/x-amz-json-1.1", json.to_string().into_bytes()),
            Some(Answer::Cbor(cbor)) => cbor_response(200, &cbor),
            Some(Answer::Error(status, code, message)) if is_cbor => {
                let entries = [("__type", code), ("message", message)].map(|(key, text)| (Cbor::from(key), Cbor::from(text)));
                cbor_response(status, &Cbor::Map(entries.into()))
            }
            Some(Answer::Error(status, code, message)) if operation == "Publish" => response(
                status,
                "text/xml",
                format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>").into_bytes(),
            ),
            Some(Answer::Error(status, code, message)) => {
                response(status, "application/x-amz-json-1.1", json!({"__type": code, "message": message}).to_string().into_bytes())
            }
            None if operation == "Publish" => response(
                200,
                "text/xml",
                b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>".to_vec(),
            ),
            None if operation.ends_with("Schedule") => self.scheduler(&operation, request.uri().path(), body),
            None if operation == "GetMetricData" => cbor_response(200, &self.metric_data(&body)),
            None if operation == "PutMetricAlarm" || operation == "DeleteAlarms" => {
                cbor_response(200, &Cbor::Map(Vec::new()))
            }
            None if operation == "DescribeAlarmsForMetric" || operation == "DescribeAlarms" => {
                cbor_response(200, &Cbor::Map(vec![(Cbor::from("MetricAlarms"), Cbor::Array(Vec::new()))]))
            }
            None => panic!("nobody said what {operation} answers"),
        }
    }

    /// EventBridge Scheduler, which remembers.
    fn scheduler(&self, operation: &str, path: &str, mut body: Value) -> http::Response<SdkBody> {
        let name = path.rsplit('/').next().unwrap().to_owned();
        let mut schedules = self.schedules.lock().unwrap();
        let error = |status, code: &str, message: &str| {
            let body = json!({"Message": message}).to_string().into_bytes();
            let mut response = response(status, "application/json", body);
            response.headers_mut().insert("x-amzn-errortype", code.parse().unwrap());
            response
        };
        match (operation, schedules.contains_key(&name)) {
            ("CreateSchedule", true) => error(409, "ConflictException", "Schedule already exists."),
            ("GetSchedule" | "UpdateSchedule" | "DeleteSchedule", false) => {
                error(404, "ResourceNotFoundException", "Schedule does not exist.")
            }
            ("CreateSchedule" | "UpdateSchedule", _) => {
                schedules.insert(name, body);
                let arn = json!({"ScheduleArn": "arn:aws:scheduler:us-east-1:111122223333:schedule/advisor/x"});
                response(200, "application/json", arn.to_string().into_bytes())
            }
            ("DeleteSchedule", _) => {
                schedules.remove(&name);
                response(200, "application/json", b"{}".to_vec())
            }
            _ => {
                body = schedules[&name].clone();
                body["Name"] = Value::from(name);
                response(200, "application/json", body.to_string().into_bytes())
            }
        }
    }

    /// `GetMetricData` from the observation's own series.
    fn metric_data(&self, body: &Value) -> Cbor {
        let observation = self.observation.as_ref().unwrap();
        let results = body["MetricDataQueries"].as_array().unwrap().iter().map(|query| {
            let stat = &query["MetricStat"];
            let metrics = published(observation, stat["Metric"]["Dimensions"].as_array().unwrap());
            let series = metrics.into_iter().flat_map(|metrics| &metrics.0).find(|series| {
                stat["Metric"]["MetricName"] == series.metric.name() && stat["Stat"] == series.statistic.to_string()
            });
            let points: Vec<_> = series.into_iter().flat_map(Series::points).collect();
            let points = by_period(&points, stat);
            Cbor::Map(vec![
                (Cbor::from("Id"), Cbor::from(query["Id"].as_str().unwrap())),
                (Cbor::from("StatusCode"), Cbor::from("Complete")),
                (
                    Cbor::from("Timestamps"),
                    Cbor::Array(
                        points
                            .iter()
                            .map(|(minute, _)| Cbor::Tag(1, Box::new(Cbor::from(minute.start().as_second()))))
                            .collect(),
                    ),
                ),
                (Cbor::from("Values"), Cbor::Array(points.iter().map(|(_, value)| Cbor::from(*value)).collect())),
            ])
        });
        Cbor::Map(vec![(Cbor::from("MetricDataResults"), Cbor::Array(results.collect()))])
    }
}

/// The way to the stand-in, which may stay silent.
#[derive(Debug)]
struct Wire {
    inner: SharedHttpConnector,
    fake: Fake,
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (operation, body) = identified(&request.try_clone().unwrap().try_into_http1x().unwrap());
        let is =
            |which: &Mutex<Option<Silence>>| which.lock().unwrap().as_ref().is_some_and(|is| is(&operation, &body));
        let (is_silent, is_lost) = (is(&self.fake.silence), is(&self.fake.lost));
        if is_silent {
            self.fake.asked.lock().unwrap().push((operation, body));
            return HttpConnectorFuture::new(std::future::pending());
        }
        if is_lost {
            self.fake.respond(&request.try_into_http1x().unwrap());
            return HttpConnectorFuture::ready(Err(ConnectorError::io("connection reset".into())));
        }
        self.inner.call(request)
    }
}

/// Operation and body of a request, in each of AWS's protocols.
pub fn identified(request: &http::Request<SdkBody>) -> (String, Value) {
    let bytes = request.body().bytes().unwrap_or_default();
    match request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()) {
        Some(target) => (target.rsplit('.').next().unwrap().to_owned(), serde_json::from_slice(bytes).unwrap()),
        None if request.uri().path().contains("/operation/") => {
            let operation = request.uri().path().rsplit('/').next().unwrap().to_owned();
            (operation, cbor_to_json(ciborium::from_reader(bytes).unwrap()))
        }
        None if request.uri().path().starts_with("/schedules/") => {
            let operation = match request.method().as_str() {
                "POST" => "CreateSchedule",
                "GET" => "GetSchedule",
                "PUT" => "UpdateSchedule",
                _ => "DeleteSchedule",
            };
            (operation.to_owned(), serde_json::from_slice(bytes).unwrap_or(Value::Null))
        }
        None => form(bytes),
    }
}

/// One value for each period, as CloudWatch aggregates; percentiles are near enough at their mean.
fn by_period(points: &[(Minute, f64)], stat: &Value) -> Vec<(Minute, f64)> {
    let minutes = stat["Period"].as_i64().unwrap() / 60;
    let mut periods: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (minute, value) in points {
        periods.entry(minute.0.div_euclid(minutes) * minutes).or_default().push(*value);
    }
    let whole = |values: &[f64]| match stat["Stat"].as_str().unwrap() {
        "Sum" | "SampleCount" => values.iter().sum(),
        "Maximum" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "Minimum" => values.iter().copied().fold(f64::INFINITY, f64::min),
        _ => values.iter().sum::<f64>() / values.len() as f64,
    };
    periods.into_iter().map(|(first, values)| (Minute(first), whole(&values))).collect()
}

/// The metrics that are published under these dimensions: the variant's own, or those of a part.
fn published<'a>(observation: &'a Observation, dimensions: &[Value]) -> Option<&'a Metrics> {
    let value = |name: &str| dimensions.iter().find(|dimension| dimension["Name"] == name)?["Value"].as_str();
    let of_part = |part: &&PartMetrics| match &part.part {
        Part::Variant(name) => dimensions.len() == 2 && value("VariantName") == Some(name.as_str()),
        Part::InstanceType(kind) => dimensions.len() == 3 && value("InstanceType") == Some(&kind.0),
        Part::Instance(id) => value("InstanceId") == Some(id),
        Part::Container(name) => dimensions.len() == 3 && value("ContainerName") == Some(name),
    };
    let own = observation.variant_name.as_ref().map(VariantName::as_str);
    match observation.parts.iter().find(of_part) {
        Some(part) => Some(&part.metrics),
        None => (dimensions.len() == 1 || dimensions.len() == 2 && value("VariantName") == own)
            .then_some(&observation.metrics),
    }
}

pub fn response(status: u16, content_type: &str, body: Vec<u8>) -> http::Response<SdkBody> {
    http::Response::builder().status(status).header("content-type", content_type).body(SdkBody::from(body)).unwrap()
}

pub fn cbor_response(status: u16, cbor: &Cbor) -> http::Response<SdkBody> {
    let mut body = Vec::new();
    ciborium::into_writer(cbor, &mut body).unwrap();
    let mut response = response(status, "application/cbor", body);
    response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor".parse().unwrap());
    response
}

fn cbor_to_json(cbor: Cbor) -> Value {
    match cbor {
        Cbor::Map(entries) => entries
            .into_iter()
            .map(|(key, value)| (key.as_text().unwrap().to_owned(), cbor_to_json(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Cbor::Array(items) => items.into_iter().map(cbor_to_json).collect(),
        Cbor::Tag(_, inner) => cbor_to_json(*inner),
        Cbor::Text(text) => text.into(),
        Cbor::Bool(value) => value.into(),
        Cbor::Integer(value) => i64::try_from(value).unwrap().into(),
        Cbor::Float(value) => value.into(),
        _ => Value::Null,
    }
}
