//! How fast AWS is asked, at most: an audit of thousands of endpoints leaves the account's request rates to others.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::Arc;

/// A rate, at least 1.
const fn at(rate: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(rate.saturating_sub(1))
}

/// `DescribeAlarms` takes 9 calls a second, of the whole account; half of them are for others.
const DESCRIBE_ALARMS: NonZeroU32 = at(4);
/// What an operation takes is not published for SageMaker and Application Auto Scaling, which throttle early; `ListMetrics` takes
/// 25, `GetMetricData` 50 or more.
const OTHERS: NonZeroU32 = at(10);
/// So many calls of one operation may leave at once after a pause: one incident never waits.
const BURST: NonZeroU32 = at(20);

/// Calls a second of each operation, of every process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// One process asks: the tool.
    Alone,
    /// Several do, five at most unless the template is told otherwise, and seldom all of them for the same: the function.
    Shared,
}

/// An HTTP client that lets each operation leave at its rate.
#[derive(Debug)]
pub(super) struct Paced {
    inner: SharedHttpClient,
    limits: Arc<Limits>,
}

#[derive(Debug)]
struct Limits {
    alarms: RateLimiter<governor::state::NotKeyed, governor::state::InMemoryState, governor::clock::DefaultClock>,
    others: DefaultKeyedRateLimiter<String>,
}

impl Paced {
    pub fn new(inner: SharedHttpClient, pace: Pace) -> Self {
        let share = match pace {
            Pace::Alone => 1,
            Pace::Shared => 2,
        };
        let per_second = |rate: NonZeroU32| Quota::per_second(at(rate.get() / share)).allow_burst(BURST);
        let limits = Limits {
            alarms: RateLimiter::direct(per_second(DESCRIBE_ALARMS)),
            others: RateLimiter::keyed(per_second(OTHERS)),
        };
        Self { inner, limits: Arc::new(limits) }
    }
}

impl HttpClient for Paced {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, limits: Arc::clone(&self.limits) })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    limits: Arc<Limits>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(operation) = operation(&request) else { return self.inner.call(request) };
        let (inner, limits) = (self.inner.clone(), Arc::clone(&self.limits));
        HttpConnectorFuture::new(async move {
            if operation == "DescribeAlarms" {
                limits.alarms.until_ready().await;
            } else {
                limits.others.until_key_ready(&operation).await;
            }
            inner.call(request).await
        })
    }
}

/// The operation of a reading call: `SageMaker.DescribeEndpoint` in a header, or the end of CloudWatch's path. Whatever writes,
/// and what fetches credentials, leaves at once.
fn operation(request: &HttpRequest) -> Option<String> {
    let target =
        request.headers().get("x-amz-target").or_else(|| request.uri().split_once("/operation/").map(|(_, name)| name));
    let name = target?.rsplit('.').next()?;
    ["Describe", "List", "Get"].iter().any(|verb| name.starts_with(verb)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    #[test]
    fn reading_calls_are_told_by_their_operation_and_others_are_not_held_up() {
        let mut request = HttpRequest::new(SdkBody::empty());
        assert_eq!(operation(&request), None);
        request.headers_mut().insert("x-amz-target", "SageMaker.DescribeEndpoint");
        assert_eq!(operation(&request).as_deref(), Some("DescribeEndpoint"));
        request.headers_mut().insert("x-amz-target", "AnyScaleFrontendService.PutScalingPolicy");
        assert_eq!(operation(&request), None);
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri("https://monitoring/service/GraniteServiceVersion20100801/operation/DescribeAlarms").unwrap();
        assert_eq!(operation(&request).as_deref(), Some("DescribeAlarms"));
    }
}
