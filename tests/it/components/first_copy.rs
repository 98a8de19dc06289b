//! Who starts the first copy of a component that has none, and how many instances hold how many.

use super::{OVERLOAD, asleep};
use crate::endpoint::settings;
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{InstanceCount, PolicyAlarm, ScalingPolicy, Seconds, StepAdjustment, StepScaling};

#[test]
fn a_policy_of_somebody_else_starts_the_first_copy_only_where_it_fires_on_refused_requests() {
    let put = |policy: ScalingPolicy| {
        let mut observation = asleep();
        observation.scaling.as_mut().unwrap().policies = vec![policy];
        let plan = explain(&observation, &settings(&[("ADVISOR_EXISTING_TARGETS", "raise")])).plan;
        plan.put_scaling_policies.iter().any(|policy| policy.policy_name == "endpoint-advisor-from-zero")
    };
    let steps = |metric: Option<&str>| {
        let step_scaling = StepScaling {
            adjustment_type: "ChangeInCapacity".to_owned(),
            steps: vec![StepAdjustment { lower_bound: Some(0.0), upper_bound: None, adjustment: 1 }],
            min_adjustment_magnitude: None,
            cooldown: None,
            metric_aggregation_type: None,
        };
        let alarm = PolicyAlarm {
            alarm_name: "theirs".to_owned(),
            metric: metric.map(str::to_owned),
            statistic: Some("Sum".to_owned()),
            comparison_operator: "GreaterThanThreshold".to_owned(),
            threshold: 0.0,
            period: Seconds(60),
            evaluation_periods: 1,
            datapoints_to_alarm: 1,
            dimensions: Vec::new(),
            treat_missing_data: None,
            description: None,
        };
        ScalingPolicy {
            policy_name: "theirs".to_owned(),
            policy_type: "StepScaling".to_owned(),
            step_scaling: Some(step_scaling),
            alarms: Some(vec![alarm]),
            ..ScalingPolicy::default()
        }
    };
    assert!(!put(steps(Some("AWS/SageMaker/NoCapacityInvocationFailures"))), "theirs does it");
    assert!(put(steps(Some("AWS/SageMaker/InvocationsPerCopy"))), "theirs is about something else");
    assert!(!put(steps(None)), "metric math may be about it");
    assert!(!put(ScalingPolicy { alarms: None, ..steps(None) }), "nor is it known where its alarm could not be read");
    let tracking = crate::endpoint::tracking("theirs", "SageMakerInferenceComponentInvocationsPerCopy", 300.0);
    assert!(put(tracking), "what follows the load of a copy starts none");
}

#[test]
fn the_fewest_instances_that_hold_so_many_copies() {
    // Four copies to an instance, one place of which another component has.
    let holds = |copies: u32| OVERLOAD.instances_that_hold(InstanceCount(copies)).map(|count| count.0);
    assert_eq!([1, 3, 4, 7, 8].map(holds), [1, 1, 2, 2, 3].map(Some));
    let mut too_small = OVERLOAD.clone();
    too_small.component.as_mut().unwrap().cpu_cores = Some(17.0);
    assert_eq!(too_small.instances_that_hold(InstanceCount(1)), None, "no number of them does");
}
