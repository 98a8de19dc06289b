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

    def moves_to(self, endpoint: str) -> None:
        """Onto the instances of another endpoint."""
        self.component.endpoint = self.endpoint.name = endpoint

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


def test_a_person_applies_the_plan_of_one_component_and_of_none_beside_it(ranker, tool, emulators, tmp_path):
    ranker = ranker().is_overloaded()
    beside = Ranker(emulators).is_overloaded()
    beside.moves_to(ranker.endpoint.name)
    for component in ranker, beside:
        Alarm(ranker.endpoint.name, component=component.name, name=f"endpoint-latency-{component.name}").put(ranker.cloudwatch)

    asked = tool("apply", ranker.endpoint.name, "--component", ranker.name)  # nobody is there to answer
    assert asked.returncode == 2 and "scalable target: absent -> min=" in asked.stdout, asked.stderr
    assert emulators.gateway.writes() == []

    applied = tool("apply", ranker.endpoint.name, "--component", ranker.name, "--yes")
    assert applied.returncode == 0, applied.stderr
    assert {call.body["ResourceId"] for call in emulators.gateway.writes()} == {f"inference-component/{ranker.name}"}
    assert ranker.endpoint.target()["MinCapacity"] > ranker.component.current
    assert (beside.endpoint.target(), beside.endpoint.policies()) == (None, [])

    # The same of a saved report of both, and each way back names its own.
    reports = tool("explain", ranker.endpoint.name, "--format", "json")
    assert reports.returncode == 0, reports.stderr
    path = tmp_path / "reports.json"
    path.write_text(reports.stdout)
    applied = tool("apply", str(path), "--component", beside.name, "--yes")
    assert applied.returncode == 0, applied.stderr
    [way_back] = [line.split("endpoint-advisor ")[1] for line in applied.stdout.splitlines() if "endpoint-advisor undo" in line]
    assert beside.endpoint.target() is not None
    undone = tool(*way_back.split(), "--yes")
    assert undone.returncode == 0, undone.stderr
    assert beside.endpoint.target() is None and ranker.endpoint.target() is not None


def test_set_ups_are_compared_on_the_history_of_copies(ranker, tool, emulators):
    ranker = ranker().is_overloaded()
    Alarm(ranker.endpoint.name, component=ranker.name).put(ranker.cloudwatch)
    compared = tool("replay", ranker.endpoint.name, "--component", ranker.name, "--target", "700", "--max", "6")
    assert compared.returncode == 0, compared.stderr
    assert "target 700, 1 to 6" in compared.stdout and "copy-hours" in compared.stdout
    assert emulators.gateway.writes() == []


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
