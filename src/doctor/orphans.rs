//! What is left of endpoints that are gone.

use super::commands::scaling;
use super::rule::Found;
use crate::model::{Account, RegisteredTarget};
use serde_json::json;
use std::collections::BTreeSet;

/// Scalable targets whose endpoint or component is not in the list of all.
pub(super) fn orphans(account: &Account) -> Vec<Found> {
    let endpoints: Option<BTreeSet<&str>> =
        account.endpoints.as_ref().map(|all| all.iter().map(|name| name.as_str()).collect());
    let components: Option<BTreeSet<&str>> =
        account.components.as_ref().map(|all| all.iter().map(|component| component.name.as_str()).collect());
    let found = |target: &RegisteredTarget| {
        let parts: Vec<&str> = target.key.resource_id.split('/').collect();
        let (names, name, what) = match parts.as_slice() {
            ["endpoint", endpoint, "variant", _] => (endpoints.as_ref()?, *endpoint, "endpoints"),
            ["inference-component", component] => (components.as_ref()?, *component, "inference components"),
            _ => return None,
        };
        if names.contains(name) {
            return None;
        }
        let evidence = format!(
            "It is registered from {} to {}, and none of the {} {what} in the Region has its name.",
            target.min_capacity,
            target.max_capacity,
            names.len()
        );
        let found = Found::new(evidence, "Deregister it; that deletes its policies and scheduled actions too.");
        let about: String = target.key.resource_id.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Some(found.about(about).with([scaling("deregister-scalable-target", &target.key, json!({}))]))
    };
    account.targets.iter().flatten().filter_map(found).collect()
}
