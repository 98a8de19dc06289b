//! What of a Region belongs to one endpoint: its alarms, scalable targets and components.

use crate::components::of_component;
use crate::doctor::{dimensions, latency_alarm};
use crate::endpoint::observed;
use endpoint_advisor::model::{
    Account, CloudWatchAlarm, EndpointName, InstanceCount, ListedComponent, RegisteredTarget, ScalableKey,
};

fn orders() -> EndpointName {
    "orders".parse().unwrap()
}

/// An alarm on a metric with these dimensions.
fn alarm(name: &str, of: &[(&str, &str)]) -> CloudWatchAlarm {
    let mut alarm = latency_alarm();
    alarm.alarm_name = name.to_owned();
    alarm.metrics[0].dimensions = dimensions(of);
    alarm
}

fn target(resource_id: &str) -> RegisteredTarget {
    let key = ScalableKey::of_variant(&orders(), &"AllTraffic".parse().unwrap());
    RegisteredTarget {
        key: ScalableKey { resource_id: resource_id.to_owned(), ..key },
        min_capacity: InstanceCount(1),
        max_capacity: InstanceCount(4),
    }
}

fn component(name: &str, endpoint: &str) -> ListedComponent {
    ListedComponent { name: name.parse().unwrap(), endpoint_name: endpoint.parse().unwrap() }
}

/// Two endpoints with a component each.
fn account() -> Account {
    Account {
        endpoints: Some(vec![orders(), "search".parse().unwrap()]),
        components: Some(vec![component("orders-ranker", "orders"), component("search-ranker", "search")]),
        targets: Some(
            [
                "endpoint/orders/variant/AllTraffic",
                "endpoint/search/variant/AllTraffic",
                "inference-component/orders-ranker",
                "inference-component/search-ranker",
                "table/orders",
            ]
            .map(target)
            .into(),
        ),
        alarms: Some(vec![
            alarm("of-orders", &[("EndpointName", "orders"), ("VariantName", "AllTraffic")]),
            alarm("of-search", &[("EndpointName", "search")]),
            alarm("of-orders-ranker", &[("InferenceComponentName", "orders-ranker")]),
            alarm("of-search-ranker", &[("InferenceComponentName", "search-ranker")]),
            alarm("of-a-queue", &[("QueueName", "orders")]),
        ]),
        warnings: vec!["alarms: throttled once".to_owned()],
    }
}

fn named(account: &Account) -> (Vec<&str>, Vec<&str>, Vec<&str>) {
    let alarms = account.alarms.iter().flatten().map(|alarm| alarm.alarm_name.as_str()).collect();
    let targets = account.targets.iter().flatten().map(|target| target.key.resource_id.as_str()).collect();
    let components = account.components.iter().flatten().map(|component| component.name.as_str()).collect();
    (alarms, targets, components)
}

#[test]
fn an_endpoint_has_its_own_and_what_is_of_its_components() {
    let of_orders = account().about(&orders());
    assert_eq!(
        named(&of_orders),
        (
            vec!["of-orders", "of-orders-ranker"],
            vec!["endpoint/orders/variant/AllTraffic", "inference-component/orders-ranker"],
            vec!["orders-ranker"]
        )
    );
    assert_eq!((of_orders.endpoints, of_orders.warnings), (None, Vec::new()));
}

#[test]
fn a_list_that_could_not_be_read_stays_unknown() {
    let unread = Account::default().about(&orders());
    assert_eq!((unread.alarms, unread.targets, unread.components), (None, None, None));
    let mut both = account().about(&orders());
    both.add(account().about(&"search".parse().unwrap()));
    let (alarms, targets, components) = named(&both);
    assert_eq!((alarms.len(), targets.len(), components.len()), (4, 4, 2));
    both.add(Account { targets: None, ..account().about(&orders()) });
    assert!(both.targets.is_none() && both.alarms.is_some() && both.components.is_some(), "one of them is not known");
}

#[test]
fn the_alarms_of_a_variant_are_those_on_it_on_its_endpoint_and_of_its_policies() {
    let fires = |name: &str, of: &[(&str, &str)], resource: &str| {
        let mut alarm = alarm(name, of);
        alarm.alarm_actions = vec![format!(
            "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:1:resource/sagemaker/{resource}:policyName/x"
        )];
        alarm
    };
    let mut custom = alarm("custom", &[("EndpointName", "orders"), ("VariantName", "AllTraffic")]);
    custom.metrics[0].namespace = "Orders".to_owned();
    let mut all = account().alarms.unwrap();
    all.extend([
        alarm("of-the-endpoint", &[("EndpointName", "orders")]),
        alarm("of-another-variant", &[("EndpointName", "orders"), ("VariantName", "Blue")]),
        custom,
        fires("fires-its-policy", &[("QueueName", "q")], "endpoint/orders/variant/AllTraffic"),
        fires("fires-another", &[("QueueName", "q")], "endpoint/search/variant/AllTraffic"),
    ]);
    let among = |observation: &endpoint_advisor::model::Observation| {
        observation.alarms_among(&all).into_iter().map(|alarm| alarm.alarm_name).collect::<Vec<_>>()
    };
    assert_eq!(among(&observed("overload")), ["of-orders", "of-the-endpoint", "fires-its-policy"]);
    assert_eq!(among(&of_component(observed("overload"))), ["of-orders-ranker"]);
}
