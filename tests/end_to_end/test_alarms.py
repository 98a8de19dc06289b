"""`endpoint-advisor alarms`: from the endpoint's own metrics to an alarm in CloudWatch, and from its event to a report."""

import itertools
import json

import pytest
from local_aws import queue
from local_aws.alarm import Alarm

_numbers = itertools.count(1)


def name_of(endpoint):
    return f"endpoint-latency-{endpoint.name}-{endpoint.variant}"


def standing(emulators):
    """All alarms, by name."""
    alarms = emulators.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"]: alarm for alarm in alarms}


@pytest.fixture
def quiet(endpoint):
    """So few requests that no percentile of a minute says anything."""
    return endpoint("hardly-used")


def test_proposing_reads_only(tool, orders, emulators):
    proposed = tool("alarms", orders.name, "--format", "json")
    assert proposed.returncode == 0, proposed.stderr
    proposal = json.loads(proposed.stdout)
    assert proposal["put_metric_alarm"]["AlarmName"] == name_of(orders)
    # All percentiles were read, so the highest that the requests fill was found.
    assert "was not read" not in " ".join(proposal["reasoning"])
    assert emulators.gateway.writes() == [] and standing(emulators) == {}


def test_it_is_put_read_back_and_unchanged(tool, quiet, emulators):
    put = tool("alarms", quiet.name, "--apply", "--yes")
    assert put.returncode == 0, put.stderr
    assert f"alarm {name_of(quiet)} is new" in put.stdout and "applied: the alarm was put" in put.stdout
    proposed = json.loads(tool("alarms", quiet.name, "--format", "json").stdout)["put_metric_alarm"]
    (alarm,) = standing(emulators).values()
    assert proposed["Statistic"] == "Average"
    assert {name: alarm[name] for name in proposed} == proposed, "what stands is what is proposed again"
    again = tool("alarms", quiet.name, "--apply", "--yes")
    assert again.returncode == 0, again.stderr
    assert "unchanged: it stands like this" in again.stdout and "->" not in again.stdout


def test_a_percentile_is_put_too(tool, orders, emulators):
    put = tool("alarms", orders.name, "--apply", "--yes", "--latency-slo-ms", "500", "--slo-statistic", "p90")
    assert put.returncode == 0, put.stderr
    alarm = standing(emulators)[name_of(orders)]
    assert (alarm["ExtendedStatistic"], alarm["Threshold"], alarm["Period"]) == ("p90", 500_000, 60)
    # ministack forgets this one setting, and nothing else.
    again = tool("alarms", orders.name, "--apply", "--yes")
    assert [line.strip() for line in again.stdout.splitlines() if "->" in line] == ["EvaluateLowSampleCountPercentile: evaluate -> ignore"]


def test_an_alarm_that_stands_is_changed_and_keeps_its_actions(tool, orders, emulators):
    topic = "arn:aws:sns:us-east-1:000000000000:report"
    cloudwatch = emulators.client("cloudwatch")
    dimensions = [{"Name": "EndpointName", "Value": orders.name}, {"Name": "VariantName", "Value": orders.variant}]
    for name in (name_of(orders), "somebody-elses"):
        cloudwatch.put_metric_alarm(
            AlarmName=name, Namespace="AWS/SageMaker", MetricName="ModelLatency", Dimensions=dimensions, ExtendedStatistic="p90",
            Period=60, EvaluationPeriods=1, Threshold=700_000, ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[topic], OKActions=[topic], ActionsEnabled=False)
    other = standing(emulators)["somebody-elses"]
    asked = tool("alarms", orders.name, "--apply")  # nobody is there to answer
    assert asked.returncode == 2 and "nobody is there to ask" in asked.stderr
    assert "DatapointsToAlarm: 1 -> " in asked.stdout
    assert standing(emulators)[name_of(orders)]["EvaluationPeriods"] == 1
    put = tool("alarms", orders.name, "--apply", "--yes")
    assert put.returncode == 0, put.stderr
    alarm = standing(emulators)[name_of(orders)]
    # The objective is what the alarms say; it stays.
    assert (alarm["Threshold"], alarm["EvaluationPeriods"] > 1) == (700_000, True)
    assert (alarm["AlarmActions"], alarm["OKActions"], alarm["ActionsEnabled"]) == ([topic], [topic], False)
    assert standing(emulators)["somebody-elses"] == other


def test_the_event_of_the_alarm_is_understood(tool, orders, emulators, advise):
    assert tool("alarms", orders.name, "--apply", "--yes", "--latency-slo-ms", "500").returncode == 0
    alarm = standing(emulators)[name_of(orders)]
    event = Alarm(orders.name, name=alarm["AlarmName"], threshold=alarm["Threshold"], statistic=alarm["ExtendedStatistic"],
                  periods=alarm["EvaluationPeriods"], description=alarm["AlarmDescription"])
    assert event.dimensions == {item["Name"]: item["Value"] for item in alarm["Dimensions"]}
    report = advise(event.eventbridge())
    assert report["diagnosis"]["verdict"] == "overload"
    assert report["objective"] == {"latency_slo_ms": 500.0, "slo_statistic": "p90", "source": "alarm"}
    assert report["trigger"]["alarm_name"] == name_of(orders)


def test_the_queue_of_an_asynchronous_endpoint_gets_one_on_its_age(endpoint, tool, emulators, advise):
    waiting = queue.begin(emulators, f"alarms-{next(_numbers)}", "growth", 3)
    waiting.history.write()
    put = tool("alarms", waiting.name, "--apply", "--yes")
    assert put.returncode == 0, put.stderr
    alarm = standing(emulators)[name_of(waiting)]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("ApproximateAgeOfOldestRequest", "Maximum")
    assert alarm["Dimensions"] == [{"Name": "EndpointName", "Value": waiting.name}]
    assert "unchanged: it stands like this" in tool("alarms", waiting.name, "--apply", "--yes").stdout
    event = Alarm(waiting.name, name=alarm["AlarmName"], metric=alarm["MetricName"], statistic="Maximum", threshold=alarm["Threshold"])
    detail = event.eventbridge()
    detail["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]["dimensions"] = {"EndpointName": waiting.name}
    assert advise(detail)["diagnosis"]["verdict"] == "backlog"


def test_an_export_works_with_the_aws_cli_and_terraform_is_printed(tool, orders):
    script = tool("alarms", orders.name, "--as", "cli")
    assert script.returncode == 0 and f'"AlarmName":"{name_of(orders)}"' in script.stdout
    assert "its actions too" in script.stderr
    assert "aws_cloudwatch_metric_alarm" in tool("alarms", orders.name, "--as", "terraform").stdout


def test_too_little_history_is_declined(tool, orders, emulators):
    declined = tool("alarms", orders.name, "--at", "2020-01-01T00:00:00Z")
    assert declined.returncode == 0, declined.stderr
    assert "no alarm is proposed" in declined.stdout and "ModelLatency: nothing was measured" in declined.stdout
    assert tool("alarms", orders.name, "--at", "2020-01-01T00:00:00Z", "--apply", "--yes").returncode == 2
    assert standing(emulators) == {}
