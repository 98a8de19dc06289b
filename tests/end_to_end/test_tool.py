"""The command line tool says what the function says, and needs no network for what it has already read."""

import json

import pytest
from local_aws.alarm import Alarm


@pytest.fixture
def observation(tool, orders, emulators, tmp_path):
    # By hand the objective comes from the endpoint's own latency alarm.
    Alarm(orders.name).put(emulators.client("cloudwatch"))
    observed = tool("observe", orders.name)
    assert observed.returncode == 0, observed.stderr
    json.loads(observed.stdout)
    path = tmp_path / "observation.json"
    path.write_text(observed.stdout)
    return path


def test_a_saved_observation_explains_itself_without_a_network(tool, observation, orders, advise):
    explained = tool("explain", str(observation), "--format", "json", online=False)
    assert explained.returncode == 0, explained.stderr
    report = json.loads(explained.stdout)
    by_function = advise({"advise": {"endpoint_name": orders.name}})
    assert report["diagnosis"]["verdict"] == by_function["diagnosis"]["verdict"] == "overload"
    assert report["diagnosis"]["sub_cause"] == by_function["diagnosis"]["sub_cause"]


def test_text_is_what_is_printed_by_default(tool, observation):
    explained = tool("explain", str(observation), online=False)
    assert explained.returncode == 0, explained.stderr
    assert "overload" in explained.stdout.lower()
    assert "\x1b[" not in explained.stdout


def test_explaining_an_endpoint_reads_only(tool, orders, emulators):
    explained = tool("explain", orders.name)
    assert explained.returncode == 0, explained.stderr
    assert emulators.gateway.writes() == []
    assert "Publish" not in emulators.gateway.operations()


def test_an_unknown_endpoint_is_an_aws_error(tool, orders):
    explained = tool("explain", "e2e-nowhere")
    assert explained.returncode == 3
    assert "e2e-nowhere" in explained.stderr


def test_a_file_that_is_no_observation_is_bad_input(tool, tmp_path):
    path = tmp_path / "observation.json"
    path.write_text('{"not": "an observation"}')
    assert tool("explain", str(path), online=False).returncode == 2


def test_wrong_usage_is_told_apart(tool):
    assert tool("observe", online=False).returncode == 2
    assert tool("--help", online=False).returncode == 0
