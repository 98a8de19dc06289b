//! What is written to Application Auto Scaling, in which order, and what comes of each refusal.

use super::*;

#[test]
fn apply_writes_exactly_the_requests_of_the_plan() {
    let fake = Fake::with(&OVERLOAD);
    let report = report(&fake, &[APPLY], alarm());
    assert_eq!(report.outcome.status, OutcomeStatus::Applied);
    let plan = serde_json::to_value(&report.plan).unwrap();
    let mut untagged = plan["register_scalable_target"].clone();
    untagged.as_object_mut().unwrap().remove("Tags");
    // First with what is running, so that the endpoint stays InService until the policy is there.
    assert_eq!(plan["register_first"]["MinCapacity"], 2);
    let expected = vec![
        ("RegisterScalableTarget".to_owned(), plan["register_first"].clone()),
        ("PutScalingPolicy".to_owned(), plan["put_scaling_policies"][0].clone()),
        ("RegisterScalableTarget".to_owned(), untagged),
    ];
    assert_eq!(fake.writes(), expected);
    let changes: Vec<_> =
        report.outcome.changes.iter().map(|change| (change.operation.as_str(), change.before.as_str())).collect();
    assert_eq!(changes, [("PutScalingPolicy", "absent"), ("RegisterScalableTarget", "absent")]);
}

#[test]
fn what_was_there_is_saved_before_somebody_elses_target_is_raised() {
    let fake = Fake::with(&OVERLOAD);
    fake.answer("DescribeScalableTargets", target(1, 3));
    let report = report(&fake, &[APPLY, ("ADVISOR_EXISTING_TARGETS", "raise")], alarm());
    assert_eq!(report.outcome.status, OutcomeStatus::Applied);
    let writes: Vec<_> = fake.writes();
    let operations: Vec<_> = writes.iter().map(|(operation, _)| operation.as_str()).collect();
    assert_eq!(operations, ["TagResource", "PutScalingPolicy", "RegisterScalableTarget"]);
    assert_eq!(writes[0].1["Tags"], json!({"endpoint-advisor:before": "min=1 max=3"}));
    assert!(writes[2].1.get("Tags").is_none(), "tags of an existing target are set by TagResource only");
}

#[test]
fn somebody_elses_target_is_left_alone_unless_the_settings_allow_it() {
    let fake = Fake::with(&OVERLOAD);
    fake.answer("DescribeScalableTargets", target(1, 3));
    let report = report(&fake, &[APPLY], alarm());
    assert_eq!(report.outcome.status, OutcomeStatus::Refused);
    assert!(report.outcome.reason.starts_with("existing_target"));
    assert_eq!(fake.writes(), []);
}

#[test]
fn a_target_whose_tags_cannot_be_read_counts_as_somebody_elses() {
    let fake = Fake::with(&OVERLOAD);
    fake.answer("DescribeScalableTargets", target(1, 3));
    fake.script("ListTagsForResource", vec![DENIED]);
    let report = report(&fake, &[APPLY], alarm());
    assert_eq!(report.outcome.status, OutcomeStatus::Refused);
    assert!(report.warnings.iter().any(|warning| warning.contains("application-autoscaling:ListTagsForResource")));
    assert_eq!(fake.writes(), []);
}

#[test]
fn a_target_that_changed_since_it_was_read_is_stale() {
    let fake = Fake::with(&OVERLOAD);
    fake.script(
        "DescribeScalableTargets",
        vec![Answer::Json(json!({"ScalableTargets": []})), Answer::Json(target(1, 3))],
    );
    let report = report(&fake, &[APPLY], alarm());
    assert_eq!((report.outcome.status, report.plan.action), (OutcomeStatus::Stale, Action::Scale));
    assert_eq!(fake.writes(), []);
}

#[test]
fn a_write_that_aws_refuses_for_good_is_reported_and_not_tried_again() {
    for (operation, code, message) in [
        ("RegisterScalableTarget", "ValidationException", "Minimum capacity cannot be greater"),
        ("RegisterScalableTarget", "LimitExceededException", "too many scalable targets"),
        (
            "RegisterScalableTarget",
            "ValidationException",
            "not authorized to perform: sagemaker:UpdateEndpointWeightsAndCapacities",
        ),
        (
            "PutScalingPolicy",
            "ValidationException",
            "Only one TargetTrackingScaling policy for a given metric specification is allowed",
        ),
        ("PutScalingPolicy", "FailedResourceAccessException", "not authorized to perform: cloudwatch:PutMetricAlarm"),
    ] {
        let fake = Fake::with(&OVERLOAD);
        fake.script(operation, vec![Answer::Error(400, code, message)]);
        let report = report(&fake, &[APPLY, TOPICS[0]], alarm());
        assert_eq!(report.outcome.status, OutcomeStatus::Failed, "{code}");
        assert!(report.outcome.reason.contains(message), "{}", report.outcome.reason);
        assert_eq!(fake.published().len(), 1, "people hear of it");
        assert_eq!(fake.writes().iter().filter(|(asked, _)| asked == operation).count(), 1, "{code} is not retried");
    }
}

#[test]
fn a_write_that_may_pass_is_retried_and_then_fails_the_invocation() {
    for (operation, status, code, message) in [
        ("RegisterScalableTarget", 400, "ThrottlingException", "Rate exceeded"),
        ("RegisterScalableTarget", 500, "ConcurrentUpdateException", "again"),
        ("PutScalingPolicy", 500, "InternalServiceException", "again"),
        (
            "PutScalingPolicy",
            400,
            "FailedResourceAccessException",
            "Unable to create alarms: Rate exceeded (Service: AmazonCloudWatch)",
        ),
    ] {
        let fake = Fake::with(&OVERLOAD);
        fake.script(operation, vec![Answer::Error(status, code, message)]);
        let error = answer(&fake, &[APPLY, TOPICS[0]], alarm()).expect_err(code);
        assert_eq!(error.error_type(), "WriteFailed");
        assert_eq!(fake.writes().iter().filter(|(asked, _)| asked == operation).count(), 5, "{code} is retried");
        assert_eq!(fake.published().len(), 0);

        fake.script(
            operation,
            vec![Answer::Error(status, code, message), Answer::Json(json!({"PolicyARN": "arn:policy"}))],
        );
        assert_eq!(report(&fake, &[APPLY], alarm()).outcome.status, OutcomeStatus::Applied, "{code} passed");
    }
}

#[test]
fn a_target_deregistered_in_between_is_registered_once_more() {
    let fake = Fake::with(&OVERLOAD);
    let gone = Answer::Error(400, "ObjectNotFoundException", "No scalable target registered");
    fake.script("PutScalingPolicy", vec![gone, Answer::Json(json!({"PolicyARN": "arn:policy"}))]);
    assert_eq!(report(&fake, &[APPLY], alarm()).outcome.status, OutcomeStatus::Applied);
    let operations: Vec<_> = fake.writes().into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(
        operations,
        [
            "RegisterScalableTarget",
            "PutScalingPolicy",
            "RegisterScalableTarget",
            "PutScalingPolicy",
            "RegisterScalableTarget"
        ]
    );
    assert_eq!(fake.writes()[2].1["Tags"]["endpoint-advisor:before"], "absent", "the memory survives");
}

#[test]
fn instances_start_only_once_the_policy_is_there() {
    // Were Min raised first, SageMaker would refuse the policy until the instances serve.
    let fake = Fake::with(&OVERLOAD);
    fake.script("PutScalingPolicy", vec![THROTTLED]);
    assert_eq!(answer(&fake, &[APPLY], alarm()).expect_err("throttled").error_type(), "WriteFailed");
    let registered: Vec<_> =
        fake.writes().into_iter().filter(|(operation, _)| operation == "RegisterScalableTarget").collect();
    assert_eq!(registered.len(), 1);
    assert_eq!(registered[0].1["MinCapacity"], 2, "as many as are running");
}

#[test]
fn a_second_delivery_while_our_instances_start_finds_everything_in_place() {
    let first = report(&Fake::with(&OVERLOAD), &[APPLY], alarm());
    let mut observation = OVERLOAD.clone();
    observation.endpoint.status.0 = "Updating".to_owned();
    let fake = Fake::with(&observation);
    let register = first.plan.register_scalable_target.unwrap();
    let policy = serde_json::to_value(&first.plan.put_scaling_policies[0]).unwrap();
    fake.answer("DescribeScalableTargets", target(register.min_capacity.0, register.max_capacity.0));
    fake.answer("ListTagsForResource", json!({"Tags": register.tags}));
    let mut standing = policy.as_object().unwrap().clone();
    standing.extend([("PolicyARN".to_owned(), json!("arn:policy")), ("CreationTime".to_owned(), json!(1.0))]);
    fake.answer("DescribeScalingPolicies", json!({"ScalingPolicies": [standing]}));
    let second = report(&fake, &[APPLY, TOPICS[0]], alarm());
    assert_eq!(second.outcome.status, OutcomeStatus::Unchanged, "{}", second.outcome.reason);
    assert_eq!(second.plan.relax.unwrap().min_capacity.0, 2, "what ran before is remembered");
    assert_eq!((fake.writes().len(), fake.published().len()), (0, 1));
}
