"""`endpoint-advisor apply` and `export`: what a person decides at a terminal."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from local_aws.alarm import Alarm

AWS_CLI = Path(__file__).resolve().parents[2] / ".venv" / "aws" / "bin"


@pytest.fixture
def report(tool, orders, emulators, tmp_path):
    """A saved report whose plan scales."""
    Alarm(orders.name).put(emulators.client("cloudwatch"))
    explained = tool("explain", orders.name, "--format", "json")
    assert explained.returncode == 0, explained.stderr
    path = tmp_path / "report.json"
    path.write_text(explained.stdout)
    emulators.gateway.calls.clear()
    return path


def plan(report):
    return json.loads(report.read_text())["plan"]


def stands(orders, plan):
    register = plan["register_scalable_target"]
    target = orders.target()
    return target and (target["MinCapacity"], target["MaxCapacity"]) == (register["MinCapacity"], register["MaxCapacity"])


def written(emulators):
    return [call.operation for call in emulators.gateway.writes()]


def test_a_saved_report_is_applied_and_taken_back(tool, orders, report):
    applied = tool("apply", str(report), "--yes")
    assert applied.returncode == 0, applied.stderr
    assert stands(orders, plan(report))
    assert [policy["PolicyName"] for policy in orders.policies()] == ["endpoint-advisor-invocations"]
    assert "scalable target: absent -> min=" in applied.stdout and "undo" in applied.stdout
    assert tool("undo", orders.name, "--yes").returncode == 0
    assert orders.scaling() is None


def test_an_endpoint_gets_what_is_right_now(tool, orders, report):
    applied = tool("apply", orders.name, "--yes")
    assert applied.returncode == 0, applied.stderr
    assert stands(orders, plan(report))


def test_without_consent_it_only_says_so(tool, orders, report, emulators):
    asked = tool("apply", str(report))  # nobody is there to answer
    assert asked.returncode == 2
    assert "endpoint-advisor-invocations: absent -> TargetValue=" in asked.stdout
    assert written(emulators) == [] and orders.scaling() is None


def test_twice_is_as_once(tool, orders, report, emulators):
    tool("apply", str(report), "--yes")
    before = orders.scaling()
    emulators.gateway.calls.clear()
    again = tool("apply", str(report), "--yes")
    assert again.returncode == 0, again.stderr
    assert orders.scaling() == before
    assert [name for name in written(emulators) if name != "TagResource"] == []


def test_what_changed_meanwhile_is_left_alone(tool, orders, report, emulators):
    orders.register_target(1, 6)
    before = orders.scaling()
    applied = tool("apply", str(report), "--yes")
    assert applied.returncode == 3
    assert "stale" in applied.stdout
    assert orders.scaling() == before and written(emulators) == []


@pytest.mark.parametrize("mode", ["off", "recommend"])
def test_a_tag_forbids_it_unless_it_is_overridden(tool, orders, report, emulators, mode):
    orders.tag({"mode": mode})
    refused = tool("apply", str(report), "--yes")
    assert refused.returncode == 2 and "--override-tags" in refused.stderr
    assert written(emulators) == []
    assert tool("apply", str(report), "--yes", "--override-tags").returncode == 0
    assert stands(orders, plan(report))


def test_a_plan_that_somebody_changed_is_refused(tool, report, emulators):
    changed = json.loads(report.read_text())
    changed["plan"]["register_scalable_target"]["MaxCapacity"] = 500
    report.write_text(json.dumps(changed))
    refused = tool("apply", str(report), "--yes")
    assert refused.returncode == 2 and "changed after it was made" in refused.stderr
    assert written(emulators) == []


def test_a_plan_to_hold_is_nothing_to_apply(tool, endpoint, emulators):
    slow = endpoint("slow-model")
    Alarm(slow.name).put(emulators.client("cloudwatch"))
    refused = tool("apply", slow.name, "--yes")
    assert refused.returncode == 2 and "more instances would not remove the cause" in refused.stderr
    assert written(emulators) == []


def test_exported_commands_make_the_same_set_up(tool, orders, report, emulators, tmp_path):
    exported = tool("export", str(report), "--as", "cli", online=False)
    assert exported.returncode == 0, exported.stderr
    script = tmp_path / "apply.sh"
    script.write_text(exported.stdout)
    environment = emulators.environment() | {"PATH": f"{AWS_CLI}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    ran = subprocess.run(["sh", script], env=environment, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    by_commands = orders.scaling()
    orders.forget_scaling()
    tool("apply", str(report), "--yes")
    assert orders.scaling() == by_commands


def test_a_redacted_observation_says_the_same(tool, orders, emulators, tmp_path):
    Alarm(orders.name).put(emulators.client("cloudwatch"))
    shared = tool("observe", orders.name, "--redact")
    assert shared.returncode == 0, shared.stderr
    assert orders.name not in shared.stdout
    path = tmp_path / "shared.json"
    path.write_text(shared.stdout)
    explained = json.loads(tool("explain", str(path), "--format", "json", online=False).stdout)
    assert explained["endpoint_name"] == "endpoint-1"
    assert explained["diagnosis"]["verdict"] == "overload"
