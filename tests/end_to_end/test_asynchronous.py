"""An asynchronous endpoint, recognised by what SageMaker says of it: its queue is read, its instances follow the backlog."""

import itertools
import json

import pytest
from local_aws import queue

_numbers = itertools.count(1)
FROM_ZERO = "endpoint-advisor-from-zero"


@pytest.fixture
def queued(endpoint, emulators):
    """`queued("growth", 3)`: an endpoint whose queue is in this trouble. (`endpoint` clears what other tests left.)"""

    def get(trouble, seed):
        begun = queue.begin(emulators, f"transcribe-{next(_numbers)}", trouble, seed)
        begun.history.write()
        return begun

    return get


def by_hand(endpoint):
    return {"advise": {"endpoint_name": endpoint.name, "variant_name": endpoint.variant}}


def test_a_backlog_is_named_and_a_policy_on_it_recommended(queued, advise, emulators):
    report = advise(by_hand(queued("growth", 3)))
    assert report["hosting"] == "asynchronous"
    assert (report["diagnosis"]["verdict"], report["diagnosis"]["sub_cause"]) == ("backlog", "traffic_growth")
    [policy] = report["plan"]["put_scaling_policies"]
    metric = policy["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]
    assert metric["MetricName"] == "ApproximateBacklogSizePerInstance"
    assert emulators.gateway.writes() == []


def test_an_endpoint_at_zero_is_started_and_all_of_it_taken_back(queued, advise, tool, emulators):
    stopped, cloudwatch = queued("no-capacity", 2), emulators.client("cloudwatch")
    stopped.register_target(0, 4)
    before = stopped.scaling()
    report = advise(by_hand(stopped), mode="apply", existing_targets="raise")
    assert report["outcome"]["status"] == "applied", report["outcome"]
    assert stopped.target()["MinCapacity"] == 0
    arns = {policy["PolicyName"]: policy["PolicyARN"] for policy in stopped.policies()}
    assert set(arns) == {"endpoint-advisor-backlog", FROM_ZERO}
    [alarm] = cloudwatch.describe_alarms(AlarmNamePrefix=FROM_ZERO)["MetricAlarms"]
    assert (alarm["MetricName"], alarm["AlarmActions"]) == ("HasBacklogWithoutCapacity", [arns[FROM_ZERO]])
    # AWS tells the alarms that fire a policy with it; moto does not.
    emulators.gateway.policy_alarms = {arns[FROM_ZERO]: [{"AlarmName": alarm["AlarmName"], "AlarmARN": alarm["AlarmArn"]}]}
    undone = tool("undo", stopped.name, "--yes")
    assert undone.returncode == 0, undone.stderr
    assert stopped.scaling() == before
    assert cloudwatch.describe_alarms(AlarmNamePrefix=FROM_ZERO)["MetricAlarms"] == []


def test_set_ups_are_compared_on_the_history_of_the_queue(queued, tool, emulators):
    waiting = queued("growth", 3)
    compared = tool("replay", waiting.name, "--target", "20", "--format", "json")
    assert compared.returncode == 0, compared.stderr
    comparison = json.loads(compared.stdout)
    assert [row["name"] for row in comparison["rows"]] == ["as it was", "as advised", "target 20, 1 to 10"]
    assert all(row["projection"] for row in comparison["rows"]), comparison["validation"]
    assert comparison["longest_wait"] == 1_800
    assert emulators.gateway.writes() == []


def test_an_alarm_on_age_says_how_long_requests_may_wait(queued, advise, emulators):
    waiting = queued("growth", 3)
    emulators.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{waiting.name}-age", Namespace="AWS/SageMaker", MetricName="ApproximateAgeOfOldestRequest", Statistic="Maximum",
        Dimensions=[{"Name": "EndpointName", "Value": waiting.name}], Period=60, EvaluationPeriods=3, Threshold=600,
        ComparisonOperator="GreaterThanThreshold")
    reasoning = " ".join(advise(by_hand(waiting))["plan"]["reasoning"])
    assert "are assumed" not in reasoning
    assert "more than 10 min" in reasoning
