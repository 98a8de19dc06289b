"""Inference components: copies instead of instances, from the alarm to the policy and back."""

import itertools
import time
from datetime import datetime, timedelta, timezone

import pytest
from local_aws.alarm import Alarm
from local_aws.components import Component
from local_aws.endpoint import Endpoint
from local_aws.scalable_dimensions import COPIES

_numbers = itertools.count(1)
FROM_ZERO = "endpoint-advisor-from-zero"


class Ranker:
    """A component on an endpoint of its own."""

    def __init__(self, emulators, **limits):
        name = f"ranker-{next(_numbers)}"
        self.component = Component(name, f"on-{name}", current=2)
        self.endpoint = Endpoint.of_component(emulators, self.component, **limits)
        self.name, self.cloudwatch = name, emulators.client("cloudwatch")

    def is_overloaded(self) -> "Ranker":
        self.endpoint.simulate_component("overload", days=1)
        self.endpoint.history.write()
        return self

    def sleeps_while_requests_come(self) -> "Ranker":
        self.component.current = 0
        self.endpoint.register_target(0, 4)
        now = datetime.now(timezone.utc).replace(second=0, microsecond=0)
        self.cloudwatch.put_metric_data(Namespace="AWS/SageMaker", MetricData=[
            {"MetricName": "NoCapacityInvocationFailures", "Dimensions": [{"Name": "InferenceComponentName", "Value": self.name}],
             "Timestamp": now - timedelta(minutes=back), "Value": 30.0, "Unit": "None"} for back in range(9)])
        return self

    def alarm(self) -> dict:
        return Alarm(self.endpoint.name, component=self.name).eventbridge()

    def by_hand(self) -> dict:
        return {"advise": {"endpoint_name": self.endpoint.name, "inference_component_name": self.name, "latency_slo_ms": 500}}


@pytest.fixture
def ranker(emulators, topics):
    emulators.gateway.reset()
    topics.envelopes("report"), topics.envelopes("chat")
    return lambda **limits: Ranker(emulators, **limits)


def test_an_overloaded_component_gets_copies_and_a_policy_and_both_are_taken_back(ranker, advise, tool):
    ranker = ranker().is_overloaded()
    report = advise(ranker.alarm(), mode="apply")
    assert (report["hosting"], report["diagnosis"]["verdict"]) == ("inference_component", "overload")
    assert report["outcome"]["status"] == "applied"
    assert report["plan"]["register_scalable_target"]["ScalableDimension"] == COPIES
    target, [policy] = ranker.endpoint.target(), ranker.endpoint.policies()
    assert target["MinCapacity"] > ranker.component.current
    metric = policy["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert metric == "SageMakerInferenceComponentInvocationsPerCopy"
    assert ranker.endpoint.target_tags()["endpoint-advisor:before"] == "absent"

    assert advise(ranker.alarm(), mode="apply")["outcome"]["status"] == "unchanged"

    undone = tool("undo", ranker.endpoint.name, "--component", ranker.name, "--yes")
    assert undone.returncode == 0, undone.stderr
    assert (ranker.endpoint.target(), ranker.endpoint.policies()) == (None, [])


def test_people_are_told_of_copies(ranker, advise, topics):
    advise(ranker().is_overloaded().alarm())
    [report] = topics.reports()
    assert report["inference_component_name"]
    assert "copy" in report["diagnosis"]["summary"] and "instance" not in report["diagnosis"]["summary"]


def test_copies_without_room_are_not_asked_for_again(ranker, advise, emulators):
    ranker = ranker(maximum=1).is_overloaded()
    ranker.component.desired, ranker.component.modified = ranker.component.current + 9, time.time() - 1_800
    report = advise(ranker.alarm(), mode="apply")
    assert (report["diagnosis"]["verdict"], report["diagnosis"]["blocked_by"]) == ("no_copies", "at_max_capacity")
    assert report["plan"]["hold_reason"] == "no_room"
    assert "MaxInstanceCount" in " ".join(report["next_steps"])
    assert emulators.gateway.writes() == []


def test_a_component_that_sleeps_is_woken_and_gets_the_alarm_that_wakes_it_next_time(ranker, advise, tool):
    ranker = ranker(minimum=0).sleeps_while_requests_come()
    report = advise(ranker.by_hand(), mode="apply", existing_targets="raise")
    assert (report["diagnosis"]["verdict"], report["diagnosis"]["sub_cause"]) == ("no_copies", "scaled_to_zero")
    assert report["outcome"]["status"] == "applied", report["outcome"]
    assert ranker.endpoint.target()["MinCapacity"] == 1
    [policy] = ranker.endpoint.policies()
    assert (policy["PolicyName"], policy["PolicyType"]) == (FROM_ZERO, "StepScaling")
    [alarm] = ranker.cloudwatch.describe_alarms(AlarmNamePrefix=FROM_ZERO)["MetricAlarms"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("NoCapacityInvocationFailures", 1.0)
    assert alarm["AlarmActions"] == [policy["PolicyARN"]]

    assert advise(ranker.by_hand(), mode="apply", existing_targets="raise")["outcome"]["status"] == "unchanged"

    undone = tool("undo", ranker.endpoint.name, "--component", ranker.name, "--yes")
    assert undone.returncode == 0, undone.stderr
    assert (ranker.endpoint.target()["MinCapacity"], ranker.endpoint.policies()) == (0, [])
    assert ranker.cloudwatch.describe_alarms(AlarmNamePrefix=FROM_ZERO)["MetricAlarms"] == []


def test_a_component_that_is_gone_is_acknowledged(ranker, advisor, emulators):
    ranker = ranker()
    del emulators.gateway.components.components[ranker.name]
    answer = advisor().invoke(ranker.alarm())
    assert answer["reports"] == [] and answer["ignored"]
