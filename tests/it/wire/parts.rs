//! Several variants, shadows, instance pools, containers, instances and explainers: how each is recognised in the answers
//! of AWS, and by which dimensions its metrics are read.

use super::fake::{Answer, Fake};
use super::{APPLY, DENIED, OVERLOAD, TOPICS, alarm, observed_by, report};
use crate::endpoint::observed;
use crate::parts::{ILL, SLOW_DEPENDENCY, before_it_began, explained, one_ill, slow_since, with_containers};
use crate::pools::pooled;
use crate::variants::shifted;
use ciborium::Value as Cbor;
use endpoint_advisor::model::{
    Action, HoldReason, Hosting, InstanceCount, InvocationMode, Observation, OutcomeStatus, Part, PartMetrics,
    VariantName, Verdict,
};
use serde_json::{Value, json};

/// The endpoint with these variants, and whatever else `DescribeEndpoint` says.
fn describes(fake: &Fake, variants: Value, more: Value) {
    let mut endpoint = json!({
        "EndpointName": "orders", "EndpointArn": OVERLOAD.endpoint.arn, "EndpointConfigName": "orders-7",
        "EndpointStatus": "InService", "CreationTime": 1_780_000_000.0, "LastModifiedTime": 1_789_898_400.0,
        "ProductionVariants": variants,
    });
    endpoint.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fake.answer("DescribeEndpoint", endpoint);
}

fn variant(name: &str, weight: f64) -> Value {
    json!({"VariantName": name, "CurrentInstanceCount": 2, "DesiredInstanceCount": 2, "CurrentWeight": weight, "DesiredWeight": weight})
}

/// What of a part was asked by which dimensions beyond the endpoint's and the variant's, `Invocations Sum InstanceId=i-01`.
fn asked_by(fake: &Fake, dimension: &str) -> Vec<String> {
    let asked = fake.asked().into_iter().filter(|(operation, _)| operation == "GetMetricData");
    let queries = asked.flat_map(|(_, body)| body["MetricDataQueries"].as_array().unwrap().clone());
    let mut found: Vec<String> = queries
        .filter_map(|query| {
            let stat = &query["MetricStat"];
            let dimensions = stat["Metric"]["Dimensions"].as_array().unwrap();
            let value = dimensions.iter().find(|found| found["Name"] == dimension)?["Value"].as_str()?.to_owned();
            let name = stat["Metric"]["MetricName"].as_str().unwrap();
            Some(format!("{name} {} {dimension}={value}", stat["Stat"].as_str().unwrap()))
        })
        .collect();
    found.sort();
    found
}

/// The values of the parts in words, whatever window they were read over.
fn values(parts: &[PartMetrics]) -> Vec<String> {
    let all = parts.iter().flat_map(|part| part.metrics.0.iter().map(move |series| (&part.part, series)));
    let words = all.filter_map(|(part, series)| {
        let points: Vec<_> = series.points().collect();
        let (metric, statistic) = (series.metric.name(), series.statistic);
        (!points.is_empty()).then(|| format!("{part:?} {metric} {statistic} {points:?}"))
    });
    let mut words: Vec<String> = words.collect();
    words.sort();
    words
}

#[test]
fn requests_to_the_variant_beside_it_are_read_under_its_own_name() {
    let shifted = shifted();
    let fake = Fake::with(&shifted);
    describes(&fake, json!([variant("AllTraffic", 1.0), variant("Stable", 3.0)]), json!({}));
    let report = report(&fake, &[APPLY, TOPICS[0], TOPICS[1]], alarm());
    assert_eq!(report.diagnosis.sub_cause.as_deref(), Some("weight_shift"));
    assert_eq!(report.outcome.status, OutcomeStatus::Applied);
    assert!(asked_by(&fake, "VariantName").contains(&"Invocations Sum VariantName=Stable".to_owned()));
    assert_eq!(report.serving[0].text, "its weight is 1 of 4, 25 % of the requests that name no variant");
    let published = fake.published();
    assert_eq!(published.len(), 2, "the alarm is of one variant");
    // The way to shift it back is no command of the plan, which stands already.
    let is_card = |message: &&Value| message["TopicArn"].as_str().unwrap().ends_with(":chat");
    let card = published.iter().find(is_card).unwrap()["Message"].as_str().unwrap();
    let card: Value = serde_json::from_str(card).unwrap();
    let steps = card["content"]["nextSteps"].as_array().unwrap();
    let words =
        "If the shift was not meant, give the variants the shares that they had (the command is in the e-mail).";
    assert!(steps.contains(&words.into()), "{steps:?}");
    assert!(!steps.iter().any(|step| step.as_str().unwrap().contains("To apply plan")), "{steps:?}");
}

#[test]
fn every_variant_has_its_own_advice_its_own_target_and_its_own_message() {
    let fake = Fake::with(&OVERLOAD);
    describes(&fake, json!([variant("AllTraffic", 1.0), variant("Stable", 3.0)]), json!({}));
    let event = json!({"advise": {"endpoint_name": "orders", "latency_slo_ms": 500}});
    let reports = super::answer(&fake, &[APPLY, TOPICS[0]], event).unwrap().reports;
    let told: Vec<_> = reports
        .iter()
        .map(|report| (report.variant_name.as_ref().unwrap().as_str(), report.diagnosis.verdict, report.plan.action))
        .collect();
    assert_eq!(
        told,
        [("AllTraffic", Verdict::Overload, Action::Scale), ("Stable", Verdict::InsufficientData, Action::Hold)]
    );
    let targets: Vec<Value> = fake
        .asked()
        .iter()
        .filter(|(operation, _)| operation == "DescribeScalableTargets")
        .map(|(_, body)| body["ResourceIds"][0].clone())
        .collect();
    assert_eq!(targets[..2], ["endpoint/orders/variant/AllTraffic", "endpoint/orders/variant/Stable"]);
    let written = fake.writes();
    assert!(!written.is_empty());
    assert!(written.iter().all(|(_, body)| body["ResourceId"] == "endpoint/orders/variant/AllTraffic"), "{written:?}");
    assert_eq!(fake.published().len(), 2);
}

#[test]
fn a_shadow_is_recognised_by_where_it_is_described_and_never_scaled() {
    let mut observation = OVERLOAD.clone();
    observation.variant_name = Some(VariantName::parse("Candidate").unwrap());
    let fake = Fake::with(&observation);
    let shadows = json!({"ShadowProductionVariants": [variant("Candidate", 1.0)]});
    describes(&fake, json!([variant("AllTraffic", 1.0)]), shadows);
    fake.answer(
        "DescribeEndpointConfig",
        json!({
            "EndpointConfigName": "orders-7", "EndpointConfigArn": "arn:config", "CreationTime": 1.0,
            "ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "orders", "InstanceType": "ml.m5.xlarge"}],
            "ShadowProductionVariants": [{"VariantName": "Candidate", "ModelName": "next", "InstanceType": "ml.c5.xlarge"}],
        }),
    );
    let event = json!({"advise": {"endpoint_name": "orders", "variant_name": "Candidate", "latency_slo_ms": 500}});
    let report = report(&fake, &[APPLY], event);
    assert_eq!(
        (report.diagnosis.verdict, report.plan.hold_reason),
        (Verdict::Overload, Some(HoldReason::ShadowVariant))
    );
    assert_eq!(fake.writes(), []);
    let asked = fake.asked();
    let (_, model) = asked.iter().find(|(operation, _)| operation == "DescribeModel").unwrap();
    assert_eq!(model["ModelName"], "next");
    // The variant that it copies from takes nothing from it, nor it from that one.
    assert!(!asked_by(&fake, "VariantName").iter().any(|query| query.ends_with("=AllTraffic")));
}

#[test]
fn instance_pools_are_read_by_type_counted_and_priced_at_their_dearest() {
    let mut mixed = pooled(&[("ml.m5.xlarge", 1), ("ml.c5.xlarge", 1)]);
    let of_type = |kind: &str| PartMetrics {
        part: Part::InstanceType(endpoint_advisor::model::InstanceType(kind.to_owned())),
        metrics: mixed.metrics.clone(),
    };
    mixed.parts = vec![of_type("ml.m5.xlarge"), of_type("ml.c5.xlarge")];
    let fake = Fake::with(&mixed);
    let pools = json!([{"InstanceType": "ml.m5.xlarge", "CurrentInstanceCount": 1}, {"InstanceType": "ml.c5.xlarge", "CurrentInstanceCount": 1}]);
    let described = json!([{"VariantName": "AllTraffic", "DesiredInstanceCount": 2, "CurrentWeight": 1.0, "DesiredWeight": 1.0, "InstancePools": pools}]);
    describes(&fake, described, json!({}));
    let configured = json!([
        {"InstanceType": "ml.m5.xlarge", "Priority": 1}, {"InstanceType": "ml.c5.xlarge", "Priority": 2},
        {"InstanceType": "ml.m5.2xlarge", "Priority": 3},
    ]);
    fake.answer(
        "DescribeEndpointConfig",
        json!({
            "EndpointConfigName": "orders-7", "EndpointConfigArn": "arn:config", "CreationTime": 1.0,
            "ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "orders", "InstancePools": configured}],
        }),
    );
    let product = |name: &str, usd: &str| {
        json!({
            "product": {"attributes": {"instanceName": name}},
            "terms": {"OnDemand": {"A": {"priceDimensions": {"B": {"unit": "Hrs", "pricePerUnit": {"USD": usd}}}}}},
        })
        .to_string()
    };
    let prices = [("ml.m5.xlarge", "0.23"), ("ml.c5.xlarge", "0.2"), ("ml.m5.2xlarge", "0.46")];
    fake.answer("GetProducts", json!({"PriceList": prices.map(|(name, usd)| product(name, usd))}));
    let report = report(&fake, &[("ADVISOR_MAX_HOURLY_USD", "2")], alarm());
    assert_eq!(report.plan.register_scalable_target.unwrap().max_capacity, InstanceCount(4), "four of the dearest");
    assert!(report.serving.iter().any(|fact| fact.text.contains("1 of ml.m5.xlarge, 1 of ml.c5.xlarge")));
    let asked = fake.asked();
    let (_, body) = asked.iter().find(|(operation, _)| operation == "GetProducts").unwrap();
    let names = json!({"Type": "ANY_OF", "Field": "instanceName", "Value": "ml.c5.xlarge,ml.m5.2xlarge,ml.m5.xlarge"});
    assert_eq!(body["Filters"][1], names);
    assert_eq!(
        asked_by(&fake, "InstanceType"),
        [
            "CPUUtilization Average InstanceType=ml.c5.xlarge",
            "CPUUtilization Average InstanceType=ml.m5.xlarge",
            "Invocations Sum InstanceType=ml.c5.xlarge",
            "Invocations Sum InstanceType=ml.m5.xlarge",
            "ModelLatency p90 InstanceType=ml.c5.xlarge",
            "ModelLatency p90 InstanceType=ml.m5.xlarge",
        ]
    );
}

#[test]
fn a_pool_of_which_one_type_has_no_price_has_none() {
    let fake = Fake::with(&pooled(&[("ml.m5.xlarge", 2)]));
    let pools = json!([{"InstanceType": "ml.m5.xlarge", "CurrentInstanceCount": 2}]);
    describes(&fake, json!([{"VariantName": "AllTraffic", "InstancePools": pools}]), json!({}));
    fake.script("DescribeEndpointConfig", vec![DENIED]);
    let report = report(&fake, &[("ADVISOR_MAX_HOURLY_USD", "2")], alarm());
    // Which types may come, only the configuration says in full.
    assert!(!fake.operations().contains(&"GetProducts".to_owned()));
    assert_eq!(report.plan.action, Action::Hold);
}

#[test]
fn containers_are_told_apart_by_their_host_names() {
    let since = before_it_began(&SLOW_DEPENDENCY);
    for (mode, execution) in [(InvocationMode::Serial, None), (InvocationMode::Direct, Some("Direct"))] {
        let observation = with_containers(&SLOW_DEPENDENCY, mode, slow_since(since), 0.5);
        let fake = Fake::with(&observation);
        let mut model = json!({
            "ModelName": "orders", "ModelArn": "arn:model", "CreationTime": 1.0,
            "Containers": [{"Image": "a", "ContainerHostname": "prepare"}, {"Image": "b", "ContainerHostname": "score"}],
        });
        if let Some(mode) = execution {
            model["InferenceExecutionConfig"] = json!({"Mode": mode});
        }
        fake.answer("DescribeModel", model);
        let read = observed_by(&fake);
        assert_eq!(read.hosting, Hosting::MultiContainer);
        assert_eq!(read.variant.containers, observation.variant.containers);
        assert_eq!(values(&read.parts), values(&observation.parts));
        assert_eq!(
            asked_by(&fake, "ContainerName"),
            [
                "ContainerLatency Average ContainerName=prepare",
                "ContainerLatency Average ContainerName=score",
                "Invocations Sum ContainerName=prepare",
                "Invocations Sum ContainerName=score",
            ]
        );
    }
}

/// What `ListMetrics` answers: each instance under its id, and once more under its id and something narrower.
fn listed(ids: &[&str]) -> Answer {
    let dimension =
        |(name, value): (&str, &str)| Cbor::Map(vec![("Name".into(), name.into()), ("Value".into(), value.into())]);
    let metric = |dimensions: &[(&str, &str)]| {
        Cbor::Map(vec![
            ("Namespace".into(), "AWS/SageMaker".into()),
            ("MetricName".into(), "Invocations".into()),
            ("Dimensions".into(), Cbor::Array(dimensions.iter().copied().map(dimension).collect())),
        ])
    };
    let metrics = ids.iter().flat_map(|id| {
        let whole = [("EndpointName", "orders"), ("VariantName", "AllTraffic"), ("InstanceId", *id)];
        let narrow = [whole[0], whole[1], whole[2], ("ContainerId", "c-1")];
        [metric(&narrow), metric(&whole)]
    });
    Answer::Cbor(Cbor::Map(vec![("Metrics".into(), Cbor::Array(metrics.collect()))]))
}

fn enhanced(observation: &Observation) -> Fake {
    let fake = Fake::with(observation);
    let more = json!({"MetricsConfig": {"EnableEnhancedMetrics": true, "MetricPublishFrequencyInSeconds": 60}});
    describes(&fake, json!([variant("AllTraffic", 1.0)]), more);
    fake
}

#[test]
fn instances_that_publish_for_themselves_are_listed_and_read() {
    let observation = one_ill(&ILL);
    let fake = enhanced(&observation);
    fake.script("ListMetrics", vec![listed(&["i-01", "i-02", "i-03", "i-04"])]);
    let read = observed_by(&fake);
    assert_eq!(values(&read.parts), values(&observation.parts));
    let asked = fake.asked();
    let (_, body) = asked.iter().find(|(operation, _)| operation == "ListMetrics").unwrap();
    assert_eq!(body["RecentlyActive"], "PT3H", "instances that are gone for longer are not asked for");
    assert_eq!(
        body["Dimensions"],
        json!([{"Name": "EndpointName", "Value": "orders"}, {"Name": "VariantName", "Value": "AllTraffic"}, {"Name": "InstanceId"}])
    );
    let last = asked.iter().rev().find(|(operation, _)| operation == "GetMetricData").unwrap();
    let minutes = (last.1["EndTime"].as_f64().unwrap() - last.1["StartTime"].as_f64().unwrap()) / 60.0;
    assert_eq!((minutes, last.1["MetricDataQueries"].as_array().unwrap().len()), (60.0, 12));
    assert!(
        last.1["MetricDataQueries"]
            .as_array()
            .unwrap()
            .iter()
            .all(|query| { query["MetricStat"]["Metric"]["Dimensions"].as_array().unwrap().len() == 3 }),
        "the whole instance, not a container of it"
    );
}

#[test]
fn instances_that_cannot_be_listed_cost_a_warning() {
    let fake = enhanced(&ILL);
    fake.script("ListMetrics", vec![DENIED]);
    let read = observed_by(&fake);
    assert_eq!(read.parts, []);
    assert!(read.warnings.iter().any(|warning| warning.contains("cloudwatch:ListMetrics")), "{:?}", read.warnings);
}

#[test]
fn without_enhanced_metrics_nothing_is_listed() {
    let fake = Fake::with(&ILL);
    observed_by(&fake);
    assert!(!fake.operations().contains(&"ListMetrics".to_owned()));
}

#[test]
fn explanations_are_read_only_where_clarify_explains() {
    let observation = explained(&observed("slow-model"), Some(0.1), 0.8);
    for has_explainer in [true, false] {
        let fake = Fake::with(&observation);
        let more = json!({
            "ExplainerConfig": {"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {}}}},
            "DataCaptureConfig": {"EnableCapture": true, "CaptureStatus": "Started", "CurrentSamplingPercentage": 100, "DestinationS3Uri": "s3://captures", "KmsKeyId": ""},
        });
        describes(&fake, json!([variant("AllTraffic", 1.0)]), if has_explainer { more } else { json!({}) });
        let report = report(&fake, &[], alarm());
        assert_eq!(
            report.diagnosis.sub_cause.as_deref() == Some("explanations"),
            has_explainer,
            "{:?}",
            report.diagnosis
        );
        let told = report.serving.iter().any(|fact| fact.text.contains("requests are captured"));
        assert_eq!(told, has_explainer);
    }
}
