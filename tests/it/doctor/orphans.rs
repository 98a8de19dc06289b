//! What is left of endpoints that are gone.

use super::{SOUND, shown};
use endpoint_advisor::doctor::examine_account;
use endpoint_advisor::model::{Account, InstanceCount, RegisteredTarget, ScalableKey};

fn account() -> Account {
    let target = |key| RegisteredTarget { key, min_capacity: InstanceCount(1), max_capacity: InstanceCount(4) };
    let gone = ScalableKey::of_variant(&"payments".parse().unwrap(), &"AllTraffic".parse().unwrap());
    let component = ScalableKey::of_component(&"orders-ranker".parse().unwrap());
    Account {
        endpoints: Some(vec!["orders".parse().unwrap()]),
        components: Some(Vec::new()),
        targets: Some([SOUND.scalable_key().unwrap(), gone, component].map(target).into()),
        ..Account::default()
    }
}

#[test]
fn ea007_targets_of_what_is_gone() {
    let findings = examine_account(&account()).findings;
    assert_eq!(findings.len(), 2);
    shown("EA007", "endpoint-and-component-gone", findings);
}

#[test]
fn what_was_not_listed_is_not_gone() {
    let unlisted = Account { endpoints: None, components: None, ..account() };
    assert_eq!(examine_account(&unlisted).findings, []);
}
