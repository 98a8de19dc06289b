"""Each trouble gets its name, and only the one that instances cure gets instances."""

import pytest
from local_aws.alarm import Alarm

VERDICTS = {"overload": "overload", "slow-model": "slow_model", "slow-dependency": "slow_dependency", "overhead": "overhead",
            "model-errors": "model_errors"}


@pytest.mark.parametrize("scenario", VERDICTS)
def test_the_verdict_names_the_trouble(scenario, endpoint, advise):
    assert advise(Alarm(endpoint(scenario).name).eventbridge())["diagnosis"]["verdict"] == VERDICTS[scenario]


@pytest.mark.parametrize("scenario", ["slow-model", "slow-dependency", "overhead", "model-errors", "healthy"])
def test_what_instances_do_not_cure_is_not_scaled_even_in_apply_mode(scenario, endpoint, advise, emulators):
    troubled = endpoint(scenario)
    report = advise(Alarm(troubled.name).eventbridge(), mode="apply")
    assert report["plan"]["action"] == "hold"
    assert report["plan"]["hold_reason"]
    assert report["plan"]["register_scalable_target"] is None
    assert report["outcome"]["status"] in ("not_needed", "refused")
    assert emulators.gateway.writes() == []


def test_a_verdict_comes_with_numbers_and_with_what_else_it_could_be(orders, advise):
    diagnosis = advise(Alarm(orders.name).eventbridge())["diagnosis"]
    assert any(isinstance(evidence["observed"], (int, float)) for evidence in diagnosis["evidence"])
    assert all(evidence["text"] for evidence in diagnosis["evidence"])
    assert 0 < diagnosis["confidence"] <= 1
    assert all(alternative["why_not"] for alternative in diagnosis["alternatives"])


def test_capacity_lies_within_its_interval(orders, advise):
    capacity = advise(Alarm(orders.name).eventbridge())["capacity"]
    assert capacity["low"] <= capacity["invocations_per_instance_per_minute"]
    assert capacity["high"] is None or capacity["invocations_per_instance_per_minute"] <= capacity["high"]
    assert capacity["latency_slo_ms"] == 500
    assert capacity["slo_statistic"] == "p90"
