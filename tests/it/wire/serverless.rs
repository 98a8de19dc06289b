//! A serverless variant on the wire: what is asked about it, what is written, and how it is taken back.

use super::*;
use crate::serverless::{family, serverless};
use endpoint_advisor::advise::{take_back, way_back};
use endpoint_advisor::model::{Hosting, InstanceCount};
use std::collections::BTreeSet;

const DIMENSION: &str = "sagemaker:variant:DesiredProvisionedConcurrency";
const MANY: (&str, &str) = ("ADVISOR_MAX_INSTANCES", "40");

static SPILLING: LazyLock<Observation> = LazyLock::new(|| serverless(family("serverless_spillover"), 0));

/// AWS with a serverless variant: as `DescribeEndpoint` and `DescribeEndpointConfig` tell of one.
fn aws() -> Fake {
    let mut observation = SPILLING.clone();
    observation.variant.current_instance_count = Some(InstanceCount(0));
    let fake = Fake::with(&observation);
    let serverless = observation.variant.serverless.unwrap();
    let config = json!({
        "MemorySizeInMB": serverless.memory_size_in_mb, "MaxConcurrency": serverless.max_concurrency,
        "ProvisionedConcurrency": serverless.provisioned_concurrency.unwrap(),
    });
    fake.answer(
        "DescribeEndpoint",
        json!({
            "EndpointName": "orders", "EndpointArn": observation.endpoint.arn, "EndpointConfigName": "orders-7",
            "EndpointStatus": "InService", "CreationTime": 1_780_000_000.0, "LastModifiedTime": 1_789_898_400.0,
            "ProductionVariants": [{
                "VariantName": "AllTraffic", "CurrentWeight": 1.0, "DesiredWeight": 1.0, "CurrentInstanceCount": 0,
                "CurrentServerlessConfig": config, "DesiredServerlessConfig": config,
            }],
        }),
    );
    fake.answer("DescribeEndpointConfig", json!({
        "EndpointConfigName": "orders-7", "EndpointConfigArn": "arn:aws:sagemaker:us-east-1:111122223333:endpoint-config/orders-7",
        "CreationTime": 1_789_898_100.0,
        "ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "orders", "ServerlessConfig": config}],
    }));
    fake
}

/// An alarm on the time that set-up takes: it states no objective.
fn overhead_alarm() -> Value {
    let mut event = alarm();
    let text = event.to_string().replace("\"ModelLatency\"", "\"OverheadLatency\"");
    event = serde_json::from_str(&text).unwrap();
    event
}

#[test]
fn what_only_serverless_variants_publish_is_asked_for_once() {
    let fake = aws();
    let observation = observed_by(&fake);
    assert_eq!(observation.hosting, Hosting::Serverless);
    assert_eq!(observation.variant.serverless, SPILLING.variant.serverless);
    assert_eq!(observation.variant.model_name.as_deref(), Some("orders"));
    let asked = fake.asked();
    let queries = asked.iter().filter(|(operation, _)| operation == "GetMetricData");
    let queries: Vec<(String, String)> = queries
        .flat_map(|(_, body)| body["MetricDataQueries"].as_array().unwrap().clone())
        .map(|query| {
            let stat = &query["MetricStat"];
            (stat["Metric"]["MetricName"].as_str().unwrap().to_owned(), stat["Stat"].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(queries.iter().collect::<BTreeSet<_>>().len(), queries.len(), "each is paid for");
    let names: BTreeSet<&str> = queries.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["ModelSetupTime", "ServerlessProvisionedConcurrencySpilloverInvocations", "OverheadLatency"] {
        assert!(names.contains(name), "{name}");
    }
    for name in ["CPUUtilization", "InvocationsPerInstance", "ConcurrentRequestsPerModel"] {
        assert!(!names.contains(name), "{name} does not exist there");
    }
    let described = asked.iter().filter(|(operation, _)| operation.starts_with("DescribeScal"));
    for (operation, body) in described {
        assert_eq!(body["ScalableDimension"], DIMENSION, "{operation}");
    }
    assert!(!fake.operations().contains(&"DescribeModel".to_owned()), "its mode decides nothing");
}

#[test]
fn apply_writes_the_range_and_the_policy_of_provisioned_concurrency() {
    let fake = aws();
    let report = report(&fake, &[APPLY, MANY], overhead_alarm());
    assert_eq!((report.diagnosis.verdict, report.outcome.status), (Verdict::ColdStart, OutcomeStatus::Applied));
    let writes = fake.writes();
    let operations: Vec<_> = writes.iter().map(|(operation, _)| operation.as_str()).collect();
    assert_eq!(operations, ["RegisterScalableTarget", "PutScalingPolicy", "RegisterScalableTarget"]);
    for (operation, body) in &writes {
        assert_eq!(body["ServiceNamespace"], "sagemaker", "{operation}");
        assert_eq!(body["ResourceId"], "endpoint/orders/variant/AllTraffic", "{operation}");
        assert_eq!(body["ScalableDimension"], DIMENSION, "{operation}");
    }
    // First with what is set, so that the endpoint stays InService until the policy is there.
    assert_eq!(writes[0].1["MinCapacity"], 6);
    assert_eq!(writes[0].1["Tags"]["endpoint-advisor:before"], "absent");
    let configuration = &writes[1].1["TargetTrackingScalingPolicyConfiguration"];
    assert_eq!(
        configuration["PredefinedMetricSpecification"],
        json!({"PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"})
    );
    let target = configuration["TargetValue"].as_f64().unwrap();
    assert!((0.3..1.0).contains(&target), "{target}");
    assert!(writes[2].1["MaxCapacity"].as_u64().unwrap() <= 40);
}

#[test]
fn an_hourly_limit_asks_for_the_price_of_a_unit() {
    let product = json!({
        "product": {"attributes": {"usagetype": format!("USE1-ProvisionedConcurrency:Usage-{}GB", memory_in_gb())}},
        "terms": {"OnDemand": {"A": {"priceDimensions": {"B": {"unit": "seconds", "pricePerUnit": {"USD": "0.00001"}}}}}},
    });
    for (answer, limit, max) in [
        // 0.036 USD an hour: 20 units.
        (Answer::Json(json!({"PriceList": [product.to_string()]})), "0.73", Some(20)),
        (Answer::Json(json!({"PriceList": []})), "0.73", None),
        (Answer::Error(403, "AccessDeniedException", "not allowed"), "0.73", None),
    ] {
        let fake = aws();
        fake.script("GetProducts", vec![answer]);
        let report = report(&fake, &[APPLY, MANY, ("ADVISOR_MAX_HOURLY_USD", limit)], overhead_alarm());
        assert_eq!(report.plan.register_scalable_target.map(|register| register.max_capacity.0), max);
        assert_eq!(fake.writes().is_empty(), max.is_none());
        let asked = fake.asked();
        let (_, body) = asked.iter().find(|(operation, _)| operation == "GetProducts").unwrap();
        let filters = body["Filters"].as_array().unwrap();
        assert!(filters.contains(&json!({"Type": "TERM_MATCH", "Field": "productFamily", "Value": "ML Serverless"})));
    }
}

fn memory_in_gb() -> u32 {
    SPILLING.variant.serverless.unwrap().memory_size_in_mb / 1_024
}

#[test]
fn undo_takes_back_what_belongs_to_provisioned_concurrency() {
    let fake = aws();
    fake.answer(
        "DescribeScalableTargets",
        json!({"ScalableTargets": [{
            "ServiceNamespace": "sagemaker", "ResourceId": "endpoint/orders/variant/AllTraffic",
            "ScalableDimension": DIMENSION, "MinCapacity": 12, "MaxCapacity": 40,
            "RoleARN": "arn:aws:iam::111122223333:role/x", "CreationTime": 1.0,
            "ScalableTargetARN": "arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/1a2b",
        }]}),
    );
    fake.answer("ListTagsForResource", json!({"Tags": {"endpoint-advisor:before": "absent"}}));
    let orders = Subject::Endpoint(EndpointName::parse("orders").unwrap());
    let aws = fake.aws();
    let way = run(way_back(&aws, &orders)).unwrap();
    let variant = &way.parts[0];
    assert_eq!(variant.running, Some(InstanceCount(6)));
    let outcome = run(take_back(&aws, variant)).unwrap();
    assert_eq!(outcome.status, OutcomeStatus::RolledBack);
    let [(operation, body)] = fake.writes().try_into().unwrap();
    assert_eq!((operation.as_str(), &body["ScalableDimension"]), ("DeregisterScalableTarget", &json!(DIMENSION)));
}
