"""What is written to Application Auto Scaling, and what never is."""

from datetime import datetime, timedelta, timezone

import pytest
from local_aws.alarm import Alarm

READS = ("Describe", "List", "Get")


def test_recommend_only_reads_and_publishes(orders, advise, emulators):
    report = advise(Alarm(orders.name).eventbridge())
    assert report["plan"]["action"] == "scale"
    assert report["outcome"]["status"] == "recommended"
    called = emulators.gateway.operations()
    assert "GetMetricData" in called
    assert [operation for operation in called if not operation.startswith(READS) and operation != "Publish"] == []
    assert orders.target() is None


def test_apply_writes_the_plan_and_then_finds_it_standing(orders, advise, emulators):
    first = advise(Alarm(orders.name).eventbridge(), mode="apply")
    assert first["outcome"]["status"] == "applied"
    assert first["outcome"]["changes"]
    emulators.gateway.reset()
    second = advise(Alarm(orders.name).eventbridge(), mode="apply")
    assert second["outcome"]["status"] == "unchanged"
    assert second["plan"]["action"] == "scale"
    assert emulators.gateway.writes() == []


def test_what_stands_afterwards_is_the_plan(orders, advise):
    plan = advise(Alarm(orders.name).eventbridge(), mode="apply")["plan"]
    target, [policy] = orders.target(), orders.policies()
    asked = plan["register_scalable_target"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (asked["MinCapacity"], asked["MaxCapacity"])
    assert target["MinCapacity"] > orders.instances()
    assert policy["PolicyName"].startswith("endpoint-advisor-")
    [asked] = plan["put_scaling_policies"]
    assert policy["PolicyName"] == asked["PolicyName"]
    assert policy["PolicyType"] == "TargetTrackingScaling"
    configuration = policy["TargetTrackingScalingPolicyConfiguration"]
    assert configuration["TargetValue"] == asked["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
    assert "ModelLatency" not in str(configuration)


def test_our_scalable_target_is_tagged_with_what_was_there_before(orders, advise):
    advise(Alarm(orders.name).eventbridge(), mode="apply")
    tags = orders.target_tags()
    assert tags["endpoint-advisor:before"] == "absent"
    assert all(key.startswith("endpoint-advisor:") for key in tags)


@pytest.mark.parametrize("mode", ["off", "recommend"])
def test_a_tag_on_the_endpoint_forbids_writing(mode, orders, advisor, emulators):
    orders.tag({"mode": mode})
    answer = advisor(mode="apply").invoke(Alarm(orders.name).eventbridge())
    assert emulators.gateway.writes() == []
    assert all(report["outcome"]["status"] != "applied" for report in answer["reports"])


def test_the_tag_apply_does_not_lift_a_deployment_in_recommend_mode(orders, advise, emulators):
    orders.tag({"mode": "apply"})
    assert advise(Alarm(orders.name).eventbridge())["outcome"]["status"] == "recommended"
    assert emulators.gateway.writes() == []


def test_a_tag_that_is_not_understood_forbids_writing_and_is_named(orders, advise, emulators):
    orders.tag({"max-instances": "plenty"})
    report = advise(Alarm(orders.name).eventbridge(), mode="apply")
    assert report["diagnosis"]["verdict"] == "overload"
    assert report["outcome"]["status"] == "refused"
    assert "max-instances" in str(report["warnings"]) + report["outcome"]["reason"]
    assert emulators.gateway.writes() == []


def test_the_tagged_objective_wins_over_the_alarm(orders, advise):
    orders.tag({"slo-ms": "800", "slo-statistic": "p90"})
    assert advise(Alarm(orders.name).eventbridge())["capacity"]["latency_slo_ms"] == 800


def test_no_plan_exceeds_the_tagged_maximum(orders, advise):
    maximum = orders.instances() + 1
    orders.tag({"max-instances": str(maximum)})
    target = advise(Alarm(orders.name).eventbridge())["plan"]["register_scalable_target"]
    assert target["MinCapacity"] <= target["MaxCapacity"] <= maximum


def test_a_maximum_below_what_runs_is_refused_and_nothing_is_lowered(orders, advise, emulators):
    orders.set_instances(4)
    orders.tag({"max-instances": "2"})
    report = advise(Alarm(orders.name).eventbridge(), mode="apply")
    assert report["plan"]["action"] == "hold"
    assert report["plan"]["hold_reason"] == "guardrail_below_current"
    assert report["outcome"]["status"] == "refused"
    assert emulators.gateway.writes() == []


@pytest.mark.parametrize("existing", ["advise", "raise"])
def test_there_is_never_a_second_policy_on_the_same_metric(existing, orders, advise):
    orders.register_target(1, 6)
    orders.put_policy("theirs", 900.0)
    advise(Alarm(orders.name).eventbridge(), mode="apply", existing_targets=existing)
    assert [policy["PolicyName"] for policy in orders.policies()] == ["theirs"]


def test_the_scalable_target_of_somebody_else_gets_advice_only(orders, advise, emulators):
    orders.register_target(1, 6)
    orders.put_policy("theirs", 900.0)
    report = advise(Alarm(orders.name).eventbridge(), mode="apply")
    assert report["diagnosis"]["verdict"] == "overload"
    assert report["outcome"]["status"] != "applied"
    assert emulators.gateway.writes() == []
    target = orders.target()
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 6)


def test_where_allowed_the_target_of_somebody_else_is_raised_and_remembers_what_it_was(orders, advise):
    orders.register_target(1, 6)
    report = advise(Alarm(orders.name).eventbridge(), mode="apply", existing_targets="raise")
    assert report["outcome"]["status"] == "applied"
    target = orders.target()
    assert target["MinCapacity"] > 1
    assert target["MaxCapacity"] >= 6
    assert orders.target_tags()["endpoint-advisor:before"] == "min=1 max=6"


def test_advice_about_the_past_never_writes(orders, advise, emulators):
    past = (datetime.now(timezone.utc) - timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:00Z")
    report = advise({"advise": {"endpoint_name": orders.name, "latency_slo_ms": 500, "at": past}}, mode="apply")
    assert report["at"] == past
    assert report["outcome"]["status"] not in ("applied", "failed")
    assert emulators.gateway.writes() == []


def test_an_old_alarm_that_is_over_is_not_acted_on(orders, advise, emulators):
    alarm, cloudwatch = Alarm(orders.name, name="e2e-old", age=timedelta(minutes=20)), emulators.client("cloudwatch")
    alarm.put(cloudwatch)
    cloudwatch.set_alarm_state(AlarmName=alarm.name, StateValue="OK", StateReason="over")
    report = advise(alarm.eventbridge(), mode="apply")
    assert report["outcome"]["status"] == "refused"
    assert "stale_event" in report["outcome"]["reason"]
    assert emulators.gateway.writes() == []
