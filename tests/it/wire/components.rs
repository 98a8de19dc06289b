//! Inference components on the wire: how they are recognised, what is read of them, and what is written for them.

use super::fake::{Answer, Fake};
use super::incidents::settings_with;
use super::{APPLY, DENIED, TOPICS, answer, observed_by, run};
use crate::components::{asleep, of_component};
use crate::endpoint::observed;
use endpoint_advisor::advise::way_back;
use endpoint_advisor::model::{
    EndpointName, Hosting, InferenceComponentName, InstanceCount, Observation, OutcomeStatus, Report, Subject, Verdict,
};
use serde_json::{Value, json};
use std::sync::LazyLock;

static OVERLOAD: LazyLock<Observation> = LazyLock::new(|| of_component(observed("overload")));

const NAME: &str = "orders-ranker";
const ARN: &str = "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:6d89:policyName/endpoint-advisor-from-zero";

/// `DescribeInferenceComponent`.
fn described(name: &str, copies: u32) -> Value {
    json!({
        "InferenceComponentName": name, "EndpointName": "orders", "VariantName": "AllTraffic",
        "InferenceComponentArn": format!("arn:aws:sagemaker:us-east-1:111122223333:inference-component/{name}"),
        "EndpointArn": "arn:aws:sagemaker:us-east-1:111122223333:endpoint/orders",
        "InferenceComponentStatus": "InService", "CreationTime": 1_780_000_000.0, "LastModifiedTime": 1_789_898_400.0,
        "Specification": {"ModelName": name, "ComputeResourceRequirements": {
            "NumberOfCpuCoresRequired": 4.0, "MinMemoryRequiredInMb": 8_192,
        }},
        "RuntimeConfig": {"DesiredCopyCount": copies, "CurrentCopyCount": copies},
    })
}

/// AWS with two components on one variant, whose configuration names no model.
fn components(observation: &Observation) -> Fake {
    let fake = Fake::with(observation);
    let count = |count: Option<InstanceCount>| count.unwrap().0;
    let instances = count(observation.variant.current_instance_count);
    let managed = observation.variant.managed_instance_scaling.unwrap();
    let managed = json!({
        "Status": "ENABLED", "MinInstanceCount": count(managed.min_instance_count),
        "MaxInstanceCount": count(managed.max_instance_count),
    });
    fake.answer("DescribeEndpoint", json!({
        "EndpointName": "orders", "EndpointArn": observation.endpoint.arn, "EndpointConfigName": "orders-7",
        "EndpointStatus": observation.endpoint.status, "CreationTime": 1_780_000_000.0, "LastModifiedTime": 1_789_898_400.0,
        "ProductionVariants": [{
            "VariantName": "AllTraffic", "CurrentInstanceCount": instances, "DesiredInstanceCount": instances,
            "ManagedInstanceScaling": managed, "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
        }],
    }));
    fake.answer(
        "DescribeEndpointConfig",
        json!({
            "EndpointConfigName": "orders-7", "CreationTime": 1_789_898_100.0,
            "EndpointConfigArn": "arn:aws:sagemaker:us-east-1:111122223333:endpoint-config/orders-7",
            "ProductionVariants": [{
                "VariantName": "AllTraffic", "InstanceType": "ml.m5.4xlarge", "InitialInstanceCount": 1,
                "ManagedInstanceScaling": managed,
            }],
        }),
    );
    let summary = |name: &str| {
        json!({
            "InferenceComponentName": name, "EndpointName": "orders", "VariantName": "AllTraffic", "CreationTime": 1.0,
            "InferenceComponentArn": format!("arn:aws:sagemaker:us-east-1:111122223333:inference-component/{name}"),
            "EndpointArn": "arn:aws:sagemaker:us-east-1:111122223333:endpoint/orders", "LastModifiedTime": 1.0,
        })
    };
    fake.answer("ListInferenceComponents", json!({"InferenceComponents": [summary(NAME), summary("orders-embedder")]}));
    let copies = observation.component.as_ref().unwrap().current_copy_count;
    let own = described(NAME, count(copies));
    fake.script("DescribeInferenceComponent", [own, described("orders-embedder", 1)].map(Answer::Json).into());
    fake
}

/// The range of the component as somebody registered it.
fn target(min: u32, max: u32) -> Value {
    json!({"ScalableTargets": [{
        "ServiceNamespace": "sagemaker", "ResourceId": format!("inference-component/{NAME}"),
        "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount", "MinCapacity": min, "MaxCapacity": max,
        "RoleARN": "arn:aws:iam::111122223333:role/x", "CreationTime": 1.0,
        "ScalableTargetARN": "arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/1a2b",
    }]})
}

fn alarm() -> Value {
    serde_json::from_str(include_str!("../../../events/eventbridge-inference-component.json")).unwrap()
}

fn by_hand() -> Value {
    serde_json::from_str(include_str!("../../../events/by-hand-inference-component.json")).unwrap()
}

fn report(fake: &Fake, variables: &[(&str, &str)], event: Value) -> Report {
    answer(fake, variables, event).unwrap().reports.remove(0)
}

fn asked(fake: &Fake, operation: &str) -> Vec<Value> {
    fake.asked().into_iter().filter(|(asked, _)| asked == operation).map(|(_, body)| body).collect()
}

/// The dimensions that each metric was asked with.
fn dimensions(fake: &Fake, metric: &str) -> Vec<String> {
    let queries =
        asked(fake, "GetMetricData").into_iter().flat_map(|body| body["MetricDataQueries"].as_array().unwrap().clone());
    let of_metric = queries.filter(|query| query["MetricStat"]["Metric"]["MetricName"] == metric);
    let names = of_metric.flat_map(|query| query["MetricStat"]["Metric"]["Dimensions"].as_array().unwrap().clone());
    let mut names: Vec<String> =
        names.map(|name| format!("{}={}", name["Name"].as_str().unwrap(), name["Value"].as_str().unwrap())).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn an_endpoint_whose_configuration_names_no_model_is_read_component_by_component() {
    let fake = components(&OVERLOAD);
    let observation = observed_by(&fake);
    assert_eq!(observation.hosting, Hosting::InferenceComponent);
    assert_eq!(observation.inference_component_name.as_ref().unwrap().as_str(), NAME);
    assert_eq!((observation.variant_name.as_ref(), observation.running()), (None, Some(InstanceCount(2))));
    assert_eq!(observation.room().unwrap().most, InstanceCount(11));
    let resources: Vec<Value> =
        asked(&fake, "DescribeScalableTargets").into_iter().map(|body| body["ResourceIds"][0].clone()).collect();
    assert!(resources.contains(&json!(format!("inference-component/{NAME}"))), "{resources:?}");
    assert!(resources.contains(&json!("inference-component/orders-embedder")), "{resources:?}");
}

#[test]
fn each_metric_is_asked_for_with_the_dimensions_that_it_has() {
    let fake = components(&OVERLOAD);
    report(&fake, &TOPICS, by_hand());
    for metric in
        ["InvocationsPerCopy", "ConcurrentRequestsPerCopy", "NoCapacityInvocationFailures", "CPUUtilizationNormalized"]
    {
        assert_eq!(dimensions(&fake, metric), [format!("InferenceComponentName={NAME}")], "{metric}");
    }
    assert_eq!(dimensions(&fake, "CPUUtilization"), ["EndpointName=orders", "VariantName=AllTraffic"]);
    assert!(dimensions(&fake, "InvocationsPerInstance").is_empty());
    let namespaces: Vec<Value> = asked(&fake, "GetMetricData")
        .into_iter()
        .flat_map(|body| body["MetricDataQueries"].as_array().unwrap().clone())
        .filter(|query| query["MetricStat"]["Metric"]["MetricName"] == "CPUUtilizationNormalized")
        .map(|query| query["MetricStat"]["Metric"]["Namespace"].clone())
        .collect();
    assert!(namespaces.iter().all(|namespace| namespace == "/aws/sagemaker/InferenceComponents"), "{namespaces:?}");
}

#[test]
fn a_name_makes_no_component() {
    let fake = Fake::with(&observed("overload"));
    fake.answer("DescribeEndpointConfig", json!({
        "EndpointConfigName": "inference-component-7", "CreationTime": 1_789_898_100.0,
        "EndpointConfigArn": "arn:aws:sagemaker:us-east-1:111122223333:endpoint-config/inference-component-7",
        "ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "inference-component", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 2}],
    }));
    assert_eq!(observed_by(&fake).hosting, Hosting::RealTime);
    assert!(asked(&fake, "ListInferenceComponents").is_empty());
}

#[test]
fn an_overloaded_component_gets_more_copies() {
    let fake = components(&OVERLOAD);
    let report = report(&fake, &[APPLY], alarm());
    assert_eq!((report.diagnosis.verdict, report.outcome.status), (Verdict::Overload, OutcomeStatus::Applied));
    let writes = fake.writes();
    let operations: Vec<&str> = writes.iter().map(|(operation, _)| operation.as_str()).collect();
    assert_eq!(operations, ["RegisterScalableTarget", "PutScalingPolicy", "RegisterScalableTarget"]);
    // First with what is running, so that the policy stands before copies are asked for.
    assert_eq!((writes[0].1["MinCapacity"].as_u64(), writes[2].1["MinCapacity"].as_u64()), (Some(2), Some(3)));
    assert_eq!(writes[0].1["Tags"]["endpoint-advisor:before"], "absent");
    for (_, body) in &writes {
        assert_eq!(body["ResourceId"], format!("inference-component/{NAME}"));
        assert_eq!(body["ScalableDimension"], "sagemaker:inference-component:DesiredCopyCount");
    }
    assert_eq!(
        writes[1].1["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"],
        json!({"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"})
    );
}

#[test]
fn a_component_without_a_copy_gets_one_and_the_alarm_that_starts_the_next() {
    let fake = components(&asleep());
    fake.answer("DescribeScalableTargets", target(0, 6));
    fake.answer("PutScalingPolicy", json!({"PolicyARN": ARN}));
    let report = report(&fake, &[APPLY, ("ADVISOR_EXISTING_TARGETS", "raise")], by_hand());
    assert_eq!((report.diagnosis.verdict, report.outcome.status), (Verdict::NoCopies, OutcomeStatus::Applied));
    let writes = fake.writes();
    let operations: Vec<&str> = writes.iter().map(|(operation, _)| operation.as_str()).collect();
    let expected = ["TagResource", "PutScalingPolicy", "PutScalingPolicy", "PutMetricAlarm", "RegisterScalableTarget"];
    assert_eq!(operations, expected);
    let step = &writes[2].1;
    assert_eq!(
        (step["PolicyType"].as_str(), step["PolicyName"].as_str()),
        (Some("StepScaling"), Some("endpoint-advisor-from-zero"))
    );
    let alarm = &writes[3].1;
    assert_eq!(alarm["AlarmActions"], json!([ARN]));
    assert_eq!(
        (alarm["Namespace"].as_str(), alarm["MetricName"].as_str()),
        (Some("AWS/SageMaker"), Some("NoCapacityInvocationFailures"))
    );
    assert_eq!(alarm["Dimensions"], json!([{"Name": "InferenceComponentName", "Value": NAME}]));
    assert_eq!(writes[4].1["MinCapacity"], 1);
}

#[test]
fn a_component_that_is_gone_is_nothing_to_act_on() {
    let fake = components(&OVERLOAD);
    const GONE: Answer =
        Answer::Error(400, "ValidationException", "Could not find inference component \"arn:aws:sagemaker:…\"");
    fake.script("DescribeInferenceComponent", vec![GONE]);
    let advice = answer(&fake, &TOPICS, alarm()).unwrap();
    assert!(advice.reports.is_empty() && advice.ignored.is_some(), "{advice:?}");
    assert!(answer(&fake, &TOPICS, by_hand()).is_err());
}

#[test]
fn whoever_looks_for_its_incident_and_whoever_observes_it_share_one_look_at_the_component() {
    let fake = components(&OVERLOAD);
    let report = report(&fake, &settings_with("recommend"), alarm());
    assert_eq!(report.inference_component_name.as_ref().map(InferenceComponentName::as_str), Some(NAME));
    assert_eq!(fake.schedules().len(), 1);
    let described = asked(&fake, "DescribeInferenceComponent");
    let described: Vec<&str> = described.iter().filter_map(|body| body["InferenceComponentName"].as_str()).collect();
    assert_eq!(described, [NAME, "orders-embedder"], "the second is its neighbour");
}

#[test]
fn neighbours_that_cannot_be_read_are_said_to_be_unknown() {
    let fake = components(&OVERLOAD);
    fake.script("ListInferenceComponents", vec![DENIED]);
    let report = report(&fake, &TOPICS, by_hand());
    assert!(report.warnings.iter().any(|warning| warning.contains("ListInferenceComponents")), "{:?}", report.warnings);
    assert!(report.plan.reasoning.iter().any(|fact| fact.contains("which could not be read")), "{:?}", report.plan);
}

#[test]
fn the_way_back_of_an_endpoint_names_each_component() {
    let fake = components(&OVERLOAD);
    fake.answer("DescribeScalableTargets", target(3, 5));
    fake.answer("ListTagsForResource", json!({"Tags": {"endpoint-advisor:before": "min=1 max=4"}}));
    let subject = Subject::Endpoint(EndpointName::parse("orders").unwrap());
    let way = run(way_back(&fake.aws(), &subject)).unwrap();
    let names: Vec<&str> = way.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, [NAME, "orders-embedder"]);
    let register = way.parts[0].restoration.as_ref().unwrap().register_scalable_target.as_ref().unwrap();
    assert_eq!((register.min_capacity, register.max_capacity), (InstanceCount(1), InstanceCount(4)));
    let fake = components(&OVERLOAD);
    fake.answer("DescribeScalableTargets", target(3, 5));
    fake.answer("ListTagsForResource", json!({"Tags": {"endpoint-advisor:before": "min=1 max=4"}}));
    let subject = Subject::InferenceComponent(InferenceComponentName::parse(NAME).unwrap());
    let way = run(way_back(&fake.aws(), &subject)).unwrap();
    assert_eq!((way.endpoint_name.as_str(), way.parts.len()), ("orders", 1));
}
