//! Answers that say nothing at all. They are no statement about AWS: something on the way lost it.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;

/// Operations that always say something: a list without members is a list (`{"ScalableTargets":[]}`), a description has a name, a
/// query of metrics has a result. `ListTags` is not among them: believed to say so too, and nothing would be written for an endpoint
/// without tags if it does not. Neither is `ListTagsForResource`, whose map may be left out where there is no tag: an incident knows what
/// it tagged.
const NEVER_SILENT: [&str; 15] = [
    "DescribeAlarms",
    "DescribeAlarmsForMetric",
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "DescribeInferenceComponent",
    "DescribeModel",
    "DescribeScalableTargets",
    "DescribeScalingActivities",
    "DescribeScalingPolicies",
    "DescribeScheduledActions",
    "GetMetricData",
    "GetProducts",
    "GetSchedule",
    "ListEndpoints",
    "PutScalingPolicy",
];

/// Refuses an empty document, in JSON or CBOR, as the answer of an operation that always says something. The SDK would take what is
/// missing for empty.
pub(super) fn refuse(operation: &str, context: &AfterDeserializationInterceptorContextRef<'_>) -> Result<(), BoxError> {
    let body = context.response().body().bytes().unwrap_or_default().trim_ascii();
    let says_nothing = [&b"{}"[..], &[0xa0], &[0xbf, 0xff]].contains(&body);
    if says_nothing && context.response().status().is_success() && NEVER_SILENT.contains(&operation) {
        return Err("the answer is empty".into());
    }
    Ok(())
}
