//! Rules about scalable targets.

use super::{SOUND, but, check, count, found};
use crate::components::of_component;
use crate::endpoint::{observed_for, scheduled, settings};
use crate::scenarios::with_target;
use endpoint_advisor::doctor::examine;
use endpoint_advisor::model::{
    Account, Hosting, InstanceCount, InstanceType, Observation, RegisteredTarget, ScalableKey, ScalableTarget,
    ScalingActivity, ScheduledAction, Serverless, UsdPerHour,
};
use std::sync::LazyLock;

fn target(observation: &mut Observation) -> &mut ScalableTarget {
    observation.scaling.as_mut().unwrap().target.as_mut().unwrap()
}

#[test]
fn ea001_nothing_scales_it() {
    let bare = but(|observation| {
        let scaling = observation.scaling.as_mut().unwrap();
        scaling.target = None;
        scaling.policies.clear();
    });
    let burstable = but(|observation| {
        observation.scaling.as_mut().unwrap().target = None;
        observation.variant.instance_type = Some(InstanceType("ml.t2.large".to_owned()));
    });
    let cold = but(|observation| {
        observation.hosting = Hosting::Serverless;
        observation.scaling.as_mut().unwrap().target = None;
        observation.variant.serverless =
            Some(Serverless { memory_size_in_mb: 2_048, max_concurrency: 5, provisioned_concurrency: None });
    });
    let shadow = but(|observation| {
        observation.scaling.as_mut().unwrap().target = None;
        observation.endpoint.shadow_variants = observation.variant_name.clone().into_iter().collect();
    });
    check("EA001", "fixed-count", &bare, &[&SOUND, &burstable, &cold, &shadow]);
}

#[test]
fn ea002_a_range_alone() {
    let bare = but(|observation| observation.scaling.as_mut().unwrap().policies.clear());
    let scheduled = but(|observation| {
        let scaling = observation.scaling.as_mut().unwrap();
        scaling.policies.clear();
        scaling.scheduled_actions = Some(vec![action("cron(0 7 * * ? *)")]);
    });
    check("EA002", "no-policy", &bare, &[&SOUND, &scheduled]);
}

pub fn action(schedule: &str) -> ScheduledAction {
    scheduled("mornings", schedule, 3)
}

#[test]
fn ea003_at_its_maximum() {
    let full = but(|observation| target(observation).max_capacity = InstanceCount(2 + 1));
    let full = Observation {
        variant: endpoint_advisor::model::Variant { current_instance_count: count(3), ..full.variant.clone() },
        ..full
    };
    let fixed = but(|observation| target(observation).max_capacity = InstanceCount(2));
    check("EA003", "at-max", &full, &[&SOUND, &fixed]);
}

#[test]
fn ea004_a_range_of_one_number() {
    let fixed = but(|observation| target(observation).max_capacity = InstanceCount(2));
    let mut scheduled = fixed.clone();
    scheduled.scaling.as_mut().unwrap().scheduled_actions = Some(vec![action("cron(0 7 * * ? *)")]);
    check("EA004", "min-is-max", &fixed, &[&SOUND, &scheduled]);
}

#[test]
fn ea005_suspended() {
    let paused = but(|observation| {
        target(observation).is_scale_out_suspended = true;
        target(observation).is_schedule_suspended = true;
    });
    check("EA005", "scale-out-and-schedules", &paused, &[&SOUND]);
}

/// The Region with one more target.
fn account(key: ScalableKey) -> Account {
    let target = |key| RegisteredTarget { key, min_capacity: InstanceCount(1), max_capacity: InstanceCount(4) };
    Account { targets: Some(vec![target(SOUND.scalable_key().unwrap()), target(key)]), ..Account::default() }
}

#[test]
fn ea006_the_wrong_dimension() {
    let (endpoint, variant) = ("orders".parse().unwrap(), "AllTraffic".parse().unwrap());
    let serverless = but(|observation| {
        observation.hosting = Hosting::Serverless;
        observation.variant.serverless =
            Some(Serverless { memory_size_in_mb: 2_048, max_concurrency: 5, provisioned_concurrency: Some(2) });
    });
    let copies = of_component(SOUND.clone());
    let said = |observation: &Observation, key: ScalableKey| {
        let mut findings = examine(std::slice::from_ref(observation), Some(&account(key)), &settings(&[])).findings;
        findings.retain(|finding| finding.rule == "EA006");
        findings
    };
    let instances = || ScalableKey::of_variant(&endpoint, &variant);
    super::shown("EA006", "serverless-by-instances", said(&serverless, instances()));
    super::shown("EA006", "instances-under-managed-copies", said(&copies, instances()));
    assert_eq!(said(&SOUND, ScalableKey::of_variant(&"other".parse().unwrap(), &variant)), []);
    assert_eq!(found("EA006", &serverless), [], "what was not listed is not judged");
}

/// Nine days, in which two instances did not always do.
static WEEKS: LazyLock<Observation> = LazyLock::new(|| {
    let mut observation = with_target(observed_for("overload", 9), 2, 12, None);
    observation.scaling.as_mut().unwrap().policies = SOUND.scaling.as_ref().unwrap().policies.clone();
    observation.instance_price = Some(UsdPerHour(0.23));
    observation.price_list_published = "2026-10-01T17:04:05Z".parse().ok();
    observation
});

#[test]
fn ea008_less_than_was_needed() {
    let capped = but(|observation| {
        target(observation).min_capacity = InstanceCount(1);
        target(observation).max_capacity = InstanceCount(2);
    });
    check("EA008", "max-below-need", &capped, &[&SOUND]);
    let tagged = but(|observation| {
        let tags = observation.tags.as_mut().unwrap();
        tags.insert("endpoint-advisor:max-instances".to_owned(), "1".to_owned());
    });
    check("EA008", "guardrail-below-need", &tagged, &[]);
    let refused = but(|observation| {
        observation.scaling.as_mut().unwrap().activities = Some(vec![ScalingActivity {
            started_at: "2026-10-04T17:02:00Z".parse().unwrap(),
            ended_at: Some("2026-10-04T17:02:04Z".parse().unwrap()),
            status_code: "Failed".to_owned(),
            status_message: Some(
                "Failed to set desired instance count to 6. Reason: The account-level service limit 'ml.m5.xlarge for \
                 endpoint usage' is 4 Instances. Error Code: ResourceLimitExceeded"
                    .to_owned(),
            ),
            description: "Setting desired instance count to 6.".to_owned(),
            cause: "monitor alarm".to_owned(),
            not_scaled_reasons: Vec::new(),
        }]);
    });
    let [for_another_reason, after_all] =
        [("Failed", "Error Code: ValidationError"), ("Successful", "ResourceLimitExceeded")].map(
            |(status_code, message)| {
                let mut other = refused.clone();
                let activity = &mut other.scaling.as_mut().unwrap().activities.as_mut().unwrap()[0];
                activity.status_code = status_code.to_owned();
                activity.status_message = Some(message.to_owned());
                other
            },
        );
    check("EA008", "quota", &refused, &[&for_another_reason, &after_all]);
    let mut unknown = capped;
    unknown.objective = None;
    assert_eq!(found("EA008", &unknown), [], "without an objective nobody knows what was needed");
}

#[test]
fn ea009_more_than_was_ever_needed() {
    let mut idle = WEEKS.clone();
    idle.variant.current_instance_count = count(12);
    target(&mut idle).min_capacity = InstanceCount(12);
    target(&mut idle).max_capacity = InstanceCount(20);
    check("EA009", "min-far-above-need", &idle, &[&SOUND, &WEEKS]);
    let [finding] = found("EA009", &idle).try_into().unwrap();
    let saving = finding.saving_instances.unwrap();
    assert!((finding.saving_usd_per_hour.unwrap() - 0.23 * f64::from(saving)).abs() < 1e-9);
    let mut fixed = idle.clone();
    fixed.scaling.as_mut().unwrap().target = None;
    check("EA009", "fixed-count", &fixed, &[]);
    let mut young = but(|_| ());
    young.variant.current_instance_count = count(12);
    target(&mut young).min_capacity = InstanceCount(12);
    assert_eq!(found("EA009", &young), [], "two days have not shown a week");
}

#[test]
fn ea010_lost_on_update() {
    let grown = but(|observation| observation.variant.initial_instance_count = count(1));
    let unknown = but(|observation| observation.variant.initial_instance_count = None);
    check("EA010", "more-than-initial", &grown, &[&SOUND, &unknown]);
}
