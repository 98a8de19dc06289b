"""Proposed alarms, held against AWS's own model and the tools that take them. `tests/it/alarms.rs` writes the files."""

import json
import re
import shlex
import subprocess

import botocore.session
import botocore.validate
import hcl2
import pytest
from test_template import ROOT, Deployment, run

ALARMS = ROOT / "tests" / "alarms"
FOLDERS = sorted(path.parent for path in ALARMS.glob("*/proposal.json"))
SETTINGS = {"Period", "EvaluationPeriods", "DatapointsToAlarm", "TreatMissingData"}


def in_words(path):
    return path.name


def alarm(folder):
    return json.loads((folder / "proposal.json").read_text())["put_metric_alarm"]


def errors(request):
    model = botocore.session.get_session().get_service_model("cloudwatch")
    report = botocore.validate.ParamValidator().validate(request, model.operation_model("PutMetricAlarm").input_shape)
    return report.generate_report()


def test_there_is_something_to_check():
    assert len(FOLDERS) >= 10


@pytest.mark.parametrize("folder", FOLDERS, ids=in_words)
def test_the_request_is_one_that_cloudwatch_takes(folder):
    request = alarm(folder)
    assert errors(request) == ""
    model = botocore.session.get_session().get_service_model("cloudwatch")
    members = model.operation_model("PutMetricAlarm").input_shape.members
    assert request["ComparisonOperator"] in members["ComparisonOperator"].enum
    assert ("Statistic" in request) != ("ExtendedStatistic" in request)
    if "ExtendedStatistic" in request:
        assert re.fullmatch(members["ExtendedStatistic"].metadata.get("pattern", r"p\d+(\.\d+)?"), request["ExtendedStatistic"])
        assert request["EvaluateLowSampleCountPercentile"] == "ignore"
    else:
        assert request["Statistic"] in members["Statistic"].enum
        assert "EvaluateLowSampleCountPercentile" not in request
    assert "Unit" not in request and request["Period"] % 60 == 0
    assert 1 <= request["DatapointsToAlarm"] <= request["EvaluationPeriods"]
    assert request["TreatMissingData"] in ("missing", "notBreaching")
    assert len(request["AlarmName"]) <= 255 and len(request["AlarmDescription"]) <= 1024
    assert request["AlarmName"].startswith(Deployment("template.yaml").parameters["AlarmNamePrefix"])


def test_a_request_that_cloudwatch_would_refuse_is_noticed():
    assert errors(alarm(FOLDERS[0]) | {"Threshold": "high"}) != ""


@pytest.mark.parametrize("folder", FOLDERS, ids=in_words)
def test_cloudformation_is_what_its_linter_expects(folder):
    code, output = run("cfn-lint", str((folder / "template.json").relative_to(ROOT)))
    assert (code, output.strip()) == (0, "")
    (resource,) = json.loads((folder / "template.json").read_text())["Resources"].values()
    assert resource["Properties"] == alarm(folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=in_words)
def test_terraform_reads_the_same_alarm(folder):
    with (folder / "main.tf").open() as file:
        (resource,) = hcl2.load(file)["resource"]
    ((kind, named),) = resource.items()
    (block,) = named.values()
    plain = {name: value.strip('"') if isinstance(value, str) else value for name, value in block.items() if not name.startswith("__")}
    assert kind.strip('"') == "aws_cloudwatch_metric_alarm"
    request = alarm(folder)
    dimensions = {item["Name"]: item["Value"] for item in request.pop("Dimensions")}
    assert {name.strip('"'): value.strip('"') for name, value in plain.pop("dimensions").items()} == dimensions
    # Terraform's only name that is not CloudWatch's.
    snake = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in request.items()}
    if "evaluate_low_sample_count_percentile" in snake:
        snake["evaluate_low_sample_count_percentiles"] = snake.pop("evaluate_low_sample_count_percentile")
    assert plain == snake


@pytest.mark.parametrize("folder", FOLDERS, ids=in_words)
def test_the_command_is_what_the_aws_cli_would_send(folder):
    path = folder / "apply.sh"
    assert subprocess.run(["sh", "-n", path], check=False).returncode == 0
    (line,) = (line for line in path.read_text().splitlines() if line.startswith("aws "))
    words = shlex.split(line)
    assert words[1:4] == ["cloudwatch", "put-metric-alarm", "--cli-input-json"]
    assert json.loads(words[4]) == alarm(folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=in_words)
def test_the_alarm_template_makes_the_same_alarm_from_the_same_values(folder):
    request = alarm(folder)
    dimensions = {item["Name"]: item["Value"] for item in request["Dimensions"]}
    part = json.loads((folder / "proposal.json").read_text())
    parameters = {name: str(request[name]) for name in SETTINGS} | {"EndpointName": part["endpoint_name"]}
    if request["MetricName"] == "ApproximateAgeOfOldestRequest":
        parameters |= {"OldestRequestSeconds": f"{request['Threshold']:.0f}"}
    else:
        statistic = request.get("ExtendedStatistic") or request["Statistic"]
        parameters |= {"ThresholdMicroseconds": f"{request['Threshold']:.0f}", "Statistic": statistic}
    if component := part["inference_component_name"]:
        parameters |= {"InferenceComponentName": component}
    else:
        parameters |= {"VariantName": part["variant_name"]}
    (made,) = Deployment("infra/endpoint-alarms.yaml", **parameters).resources("AWS::CloudWatch::Alarm").values()
    assert {item["Name"]: item["Value"] for item in made.pop("Dimensions")} == dimensions
    same = set(request) - {"Dimensions", "AlarmDescription"}
    assert set(made) - {"AlarmDescription"} == same
    for name in same:
        value = f"{request[name]:.0f}" if name == "Threshold" else str(request[name])
        assert str(made[name]) == value, name
