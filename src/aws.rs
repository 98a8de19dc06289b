//! The clients, what they were asked, and what their errors mean.

pub(crate) mod alarms;
pub(crate) mod auto_scaling;
mod error;
mod nothing;
mod pace;
pub(crate) mod queue;
pub(crate) mod scheduler;
mod time_left;

pub use error::{CallError, ErrorKind, chain};
pub use pace::Pace;
pub use time_left::Remaining;

use crate::model::UsdPerHour;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_applicationautoscaling::operation::put_scaling_policy::PutScalingPolicyError;
use aws_sdk_applicationautoscaling::operation::register_scalable_target::RegisterScalableTargetError;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use time_left::TimeLeft;

/// The clients on the [`configuration`].
pub async fn load(profile: Option<String>, region: Option<String>, pace: Pace) -> Aws {
    Aws::new(&configuration(profile, region, pace).await)
}

/// One attempt at a call: the slowest, two weeks of metrics, takes two seconds.
const ATTEMPT: Duration = Duration::from_secs(15);

/// Loads the SDK's standard configuration (environment, profile, credentials). `profile` and `region` go before what the
/// environment says.
pub async fn configuration(profile: Option<String>, region: Option<String>, pace: Pace) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let http = pace::Paced::new(http, pace);
    let timeouts =
        TimeoutConfig::builder().connect_timeout(Duration::from_secs(3)).operation_attempt_timeout(ATTEMPT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http).timeout_config(timeouts);
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region));
    }
    loader.load().await
}

/// One client per service, built when it is first used, and shared.
#[derive(Debug, Clone)]
pub struct Aws {
    pub(crate) auto_scaling: Lazy<aws_sdk_applicationautoscaling::Client>,
    pub(crate) cloudwatch: Lazy<aws_sdk_cloudwatch::Client>,
    pub(crate) pricing: Lazy<aws_sdk_pricing::Client>,
    pub(crate) sagemaker: Lazy<aws_sdk_sagemaker::Client>,
    pub(crate) scheduler: Lazy<aws_sdk_scheduler::Client>,
    pub(crate) sns: Lazy<aws_sdk_sns::Client>,
    pub(crate) sqs: Lazy<aws_sdk_sqs::Client>,
    region: String,
    sleep: Option<SharedAsyncSleep>,
    calls: Calls,
    prices: Arc<Mutex<Prices>>,
}

/// A price from a price list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Price {
    /// Of one, for an hour.
    pub each: UsdPerHour,
    /// When the list was published; none where it does not say.
    pub published: Option<jiff::Timestamp>,
}

/// A client that is built when it is first used: each parses all partitions of AWS for its endpoints, and seven of them were
/// three quarters of the function's start. Later it is done while AWS is waited for.
type Lazy<Client> = Arc<LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>>;

fn lazily<Client>(
    config: &SdkConfig,
    calls: &Calls,
    build: impl FnOnce(&SdkConfig, Calls) -> Client + Send + 'static,
) -> Lazy<Client> {
    let (config, calls) = (config.clone(), calls.clone());
    Arc::new(LazyLock::new(Box::new(move || build(&config, calls))))
}

/// Prices that were asked for, by what they are of; none where the list has none.
type Prices = BTreeMap<String, Option<Price>>;

/// The client of one service.
macro_rules! client {
    ($sdk:ident, $config:expr, $calls:expr) => {
        lazily($config, $calls, |config, calls| {
            $sdk::Client::from_conf($sdk::config::Builder::from(config).interceptor(calls).build())
        })
    };
}

impl Aws {
    /// Clients on a loaded configuration.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let calls = Calls::default();
        Self {
            auto_scaling: lazily(config, &calls, |config, calls| {
                let config = aws_sdk_applicationautoscaling::config::Builder::from(config);
                let config = config.interceptor(calls).retry_classifier(ScalingErrors).build();
                aws_sdk_applicationautoscaling::Client::from_conf(config)
            }),
            cloudwatch: client!(aws_sdk_cloudwatch, config, &calls),
            pricing: lazily(config, &calls, |config, calls| {
                let region = Region::from_static(pricing_region(config.region()));
                let config = aws_sdk_pricing::config::Builder::from(config).region(region);
                aws_sdk_pricing::Client::from_conf(config.interceptor(calls).build())
            }),
            sagemaker: client!(aws_sdk_sagemaker, config, &calls),
            scheduler: client!(aws_sdk_scheduler, config, &calls),
            sns: client!(aws_sdk_sns, config, &calls),
            sqs: client!(aws_sdk_sqs, config, &calls),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            sleep: config.sleep_impl(),
            calls,
            prices: Arc::default(),
        }
    }

    /// The Region of all clients; empty where none is set.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// From now on calls end `kept` before the time is over.
    pub(crate) fn keep(&self, remaining: &Remaining, kept: SignedDuration) {
        self.calls.time_left.keep(Arc::clone(remaining), kept);
    }

    /// Waits as the SDK waits between two attempts.
    pub(crate) async fn pause(&self, duration: Duration) {
        if let Some(sleep) = &self.sleep {
            sleep.sleep(duration).await;
        }
    }

    /// What was asked since the last time this was asked.
    #[must_use]
    pub fn take_asked(&self) -> Asked {
        std::mem::take(&mut self.calls.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was asked so far.
    #[must_use]
    pub fn asked(&self) -> Asked {
        self.calls.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Prices that were asked for.
    pub(crate) fn prices(&self) -> MutexGuard<'_, Prices> {
        self.prices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts metrics that are paid for.
    pub(crate) fn metrics(&self, count: u64) {
        self.calls.asked.lock().unwrap_or_else(PoisonError::into_inner).metrics += count;
    }

    /// Counts a round: calls that leave together, after the answers of the round before.
    pub(crate) fn round(&self) {
        self.calls.asked.lock().unwrap_or_else(PoisonError::into_inner).rounds += 1;
    }
}

/// For writes of scaling: Application Auto Scaling publishes no request rate and throttles early, and waiting costs less
/// than failing halfway. Reads have the SDK's three attempts: what cannot be read is a warning.
pub(crate) fn patient() -> aws_sdk_applicationautoscaling::config::Builder {
    aws_sdk_applicationautoscaling::Config::builder().retry_config(RetryConfig::standard().with_max_attempts(5))
}

/// The same for the alarms of step policies: CloudWatch takes about three of them a second.
pub(crate) fn patient_with_alarms() -> aws_sdk_cloudwatch::config::Builder {
    aws_sdk_cloudwatch::Config::builder().retry_config(RetryConfig::standard().with_max_attempts(5))
}

/// What was asked of AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Requests by operation, retries included.
    pub requests: BTreeMap<String, u32>,
    /// Rounds of reading: the length of the chain of calls that wait for each other.
    pub rounds: u32,
    /// Metrics requested of `GetMetricData`, as they are charged for: up to five statistics of one count once.
    pub metrics: u64,
}

impl Asked {
    /// All requests.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.requests.values().map(|count| u64::from(*count)).sum()
    }
}

/// The Price List API answers in three Regions only, for all of them.
fn pricing_region(region: Option<&Region>) -> &'static str {
    match region.map(Region::as_ref).unwrap_or_default().split('-').next() {
        Some("eu" | "af" | "me" | "il") => "eu-central-1",
        Some("ap") => "ap-south-1",
        Some("cn") => "cn-northwest-1",
        _ => "us-east-1",
    }
}

/// Counts requests as they leave, bounds how long they may take, and refuses answers that say nothing.
#[derive(Debug, Clone, Default)]
struct Calls {
    asked: Arc<Mutex<Asked>>,
    time_left: TimeLeft,
}

#[dyn_dispatch_hint]
impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_execution(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.time_left.bound(context.input(), config)
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.load::<Metadata>().map_or(Ok(()), |operation| nothing::refuse(operation.name(), context))
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(operation) = config.load::<Metadata>() {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            *asked.requests.entry(operation.name().to_owned()).or_default() += 1;
        }
        Ok(())
    }
}

/// Where the SDK's own judgement of an Application Auto Scaling error is wrong.
///
/// `PutScalingPolicy` makes alarms, and CloudWatch takes three of those a second: its throttle comes back as a
/// `FailedResourceAccessException`, which the SDK would not retry. `LimitExceededException` is a quota, which the SDK
/// takes for a throttle and would retry in vain.
#[derive(Debug)]
struct ScalingErrors;

impl ClassifyRetry for ScalingErrors {
    fn name(&self) -> &'static str {
        "ScalingErrors"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err).and_then(|error| error.as_operation_error());
        let Some(error) = error else { return RetryAction::NoActionIndicated };
        match (error.downcast_ref(), error.downcast_ref()) {
            (Some(PutScalingPolicyError::FailedResourceAccessException(error)), _)
                if error.message().is_some_and(error::is_throttle) =>
            {
                RetryAction::throttling_error()
            }
            (Some(PutScalingPolicyError::LimitExceededException(_)), _)
            | (_, Some(RegisterScalableTargetError::LimitExceededException(_))) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }
}
