"""Serverless variants: units of provisioned concurrency instead of instances, from the alarm to the policy and back."""

import itertools
import json

import boto3
import pytest
from local_aws import serverless
from local_aws.alarm import Alarm
from local_aws.emulators import REGION
from local_aws.scalable_dimensions import UNITS

_numbers = itertools.count(1)
METRIC = "SageMakerVariantProvisionedConcurrencyUtilization"
MOST = 40  # units that are allowed


@pytest.fixture
def variant(endpoint, emulators):
    """`variant("spillover")`: an endpoint whose serverless variant is in this trouble. (`endpoint` clears what other tests left.)"""

    def get(trouble):
        begun = serverless.begin(emulators, f"vision-{next(_numbers)}", trouble)
        begun.history.write()
        begun.history.up_to_now()
        return begun

    return get


def alarm(endpoint, metric="OverheadLatency"):
    """Set-up is part of `OverheadLatency`; an alarm on `ModelLatency` does not see a cold start."""
    return Alarm(endpoint.name, metric=metric, statistic="Average", threshold=1_000_000.0).eventbridge()


def test_requests_that_find_no_unit_idle_lead_to_units_and_a_policy_and_both_are_taken_back(variant, advise, tool):
    spilling = variant("spillover")
    report = advise(alarm(spilling), mode="apply", max_instances=str(MOST))
    assert (report["hosting"], report["diagnosis"]["verdict"], report["diagnosis"]["sub_cause"]) == ("serverless", "cold_start", "spillover")
    assert report["outcome"]["status"] == "applied", report["outcome"]
    target, [policy] = spilling.target(), spilling.policies()
    assert (target["ScalableDimension"], policy["ScalableDimension"]) == (UNITS, UNITS)
    assert spilling.instances() < target["MinCapacity"] <= target["MaxCapacity"] <= MOST
    configuration = policy["TargetTrackingScalingPolicyConfiguration"]
    assert configuration["PredefinedMetricSpecification"] == {"PredefinedMetricType": METRIC}
    assert 0.3 <= configuration["TargetValue"] <= 0.95
    assert spilling.target_tags()["endpoint-advisor:before"] == "absent"

    assert advise(alarm(spilling), mode="apply", max_instances=str(MOST))["outcome"]["status"] == "unchanged"

    undone = tool("undo", spilling.name, "--yes")
    assert undone.returncode == 0, undone.stderr
    assert (spilling.target(), spilling.policies()) == (None, [])


def test_a_recommendation_writes_nothing_and_speaks_of_units(variant, advise, topics, emulators):
    spilling = variant("spillover")
    report = advise(alarm(spilling), max_instances=str(MOST))
    assert (report["outcome"]["status"], report["plan"]["action"]) == ("recommended", "scale")
    assert emulators.gateway.writes() == []
    assert (spilling.target(), spilling.policies()) == (None, [])
    [told] = topics.reports()
    assert told["plan"]["register_scalable_target"]["ScalableDimension"] == UNITS
    [card] = topics.cards()
    assert "instance" not in card["content"]["description"]


def test_at_max_concurrency_nothing_is_scaled_and_the_next_step_is_a_command_that_sagemaker_takes(variant, advise, emulators):
    full = variant("growth")
    report = advise(alarm(full, "ServerlessConcurrentExecutionsUtilization"), mode="apply")
    assert (report["diagnosis"]["verdict"], report["diagnosis"]["sub_cause"]) == ("serverless_concurrency_limit", "max_concurrency")
    assert (report["plan"]["action"], report["plan"]["hold_reason"]) == ("hold", "max_concurrency_not_scaled")
    assert report["outcome"]["status"] == "not_needed"
    assert emulators.gateway.writes() == []
    before = full.describe_variant()["CurrentServerlessConfig"]["MaxConcurrency"]
    [update] = updates_of(report["next_steps"], emulators)
    assert before < update["ServerlessUpdateConfig"]["MaxConcurrency"] <= 200


def test_where_none_is_set_a_person_is_told_how_many_units_to_set_first(variant, advise, emulators):
    cold = variant("after_idle")
    report = advise(alarm(cold), mode="apply")
    assert (report["diagnosis"]["verdict"], report["plan"]["hold_reason"]) == ("cold_start", "provisioned_concurrency_not_set")
    assert emulators.gateway.writes() == []
    [update] = updates_of(report["next_steps"], emulators)
    limit = cold.describe_variant()["CurrentServerlessConfig"]["MaxConcurrency"]
    assert 1 <= update["ServerlessUpdateConfig"]["ProvisionedConcurrency"] <= limit


def test_a_policy_of_somebody_else_on_provisioned_concurrency_is_left_as_it_is(variant, advise, emulators):
    theirs = variant("spillover")
    theirs.register_target(2, 12)
    theirs.put_policy("theirs", 0.9)
    before = theirs.scaling()
    report = advise(alarm(theirs), mode="apply", max_instances=str(MOST))
    assert report["diagnosis"]["verdict"] == "cold_start"
    assert emulators.gateway.writes() == []
    assert theirs.scaling() == before
    assert any("`theirs`" in advice for advice in report["plan"]["advice"])


def test_set_ups_are_compared_on_the_history_of_requests_at_once(variant, tool, emulators):
    spilling = variant("spillover")
    compared = tool("replay", spilling.name, "--target", "0.6", "--max", "30", "--format", "json")
    assert compared.returncode == 0, compared.stderr
    comparison = json.loads(compared.stdout)
    assert [row["name"] for row in comparison["rows"]] == ["as it was", "as advised", "target 0.60, 1 to 30"]
    assert all(row["projection"] for row in comparison["rows"]), comparison["validation"]
    assert emulators.gateway.writes() == []


def updates_of(steps, emulators):
    """What the commands among the steps would change, each tried: a client with AWS's own model checks names and ranges."""
    sagemaker = boto3.client("sagemaker", endpoint_url=emulators.moto_url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")
    marker = "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name "
    updates = []
    for command in [step.split(marker)[1] for step in steps if marker in step]:
        name, desired = command.split(" --desired-weights-and-capacities ")
        variants = json.loads(desired.strip("'"))
        sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=variants)
        updates += variants
    return updates
