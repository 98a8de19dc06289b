"""The doctor on the emulators: what it finds in set-ups that stand there, and that it only reads.

moto makes no alarms for target tracking and describes none, so that EA018 is seen here for every policy; with AWS it is not.
No emulator knows prices.
"""

import json

import pytest
from local_aws.alarm import Alarm
from local_aws.endpoint import Endpoint
from local_aws.gateway import denied


@pytest.fixture
def doctor(tool):
    """`doctor(name, …)`: the checkup as JSON."""

    def run(*arguments):
        output = tool("doctor", *arguments, "--days", "1", "--format", "json")
        assert output.returncode == 0, output.stderr
        return json.loads(output.stdout)

    return run


def rules(checkup):
    return [finding["rule"] for finding in checkup["findings"]]


def the(checkup, rule):
    return next(finding for finding in checkup["findings"] if finding["rule"] == rule)


@pytest.fixture
def ill(orders, emulators):
    """A target above what an instance carries, no room, and an alarm in milliseconds."""
    orders.register_target(1, 2)
    orders.put_policy("by-hand", 50_000)
    Alarm(orders.name, threshold=500.0).put(emulators.client("cloudwatch"))
    orders.tag({"slo-ms": "500"})  # as its objective would be, were the alarm right
    return orders


def test_it_finds_what_is_wrong_and_writes_nothing(ill, doctor, emulators):
    emulators.gateway.calls.clear()
    checkup = doctor(ill.name)
    assert {"EA003", "EA011", "EA020", "EA026"} <= set(rules(checkup)), checkup["findings"]
    assert rules(checkup) == sorted(rules(checkup), key=lambda rule: [the(checkup, rule)["severity"] != "high",
                                                                    the(checkup, rule)["severity"] == "low", rule])
    assert "50,000" in the(checkup, "EA011")["evidence"] and the(checkup, "EA026")["commands"][0].startswith("aws cloudwatch put-metric-alarm")
    assert emulators.gateway.writes() == []
    assert "Publish" not in emulators.gateway.operations()


def test_what_it_says_to_do_mends_it(ill, doctor, emulators):
    request = the(doctor(ill.name), "EA026")["commands"][0].split(" --cli-input-json ", 1)[1].strip("'")
    emulators.client("cloudwatch").put_metric_alarm(**json.loads(request))
    target = the(doctor(ill.name), "EA003")["commands"][0].split()
    ill.register_target(int(target[target.index("--min-capacity") + 1]), int(target[target.index("--max-capacity") + 1]))
    mended = rules(doctor(ill.name))
    assert "EA026" not in mended and "EA003" not in mended


def test_a_tag_silences_a_rule(ill, doctor):
    before = rules(doctor(ill.name))
    ill.tag({"slo-ms": "500", "ignore": "EA020 EA026", "mode": "off"})
    checkup = doctor(ill.name)
    assert rules(checkup) == [rule for rule in before if rule not in ("EA020", "EA026")]
    assert checkup["ignored"] == 2


def test_what_may_not_be_read_is_told_and_not_judged(ill, doctor, emulators):
    emulators.gateway.faults.append(denied("DescribeAlarms", "cloudwatch:DescribeAlarms"))
    checkup = doctor(ill.name)
    assert "EA026" not in rules(checkup) and "EA023" not in rules(checkup) and "EA003" in rules(checkup)
    assert any("EA026" in gap.get("rules", []) for gap in checkup["not_read"])


def test_one_endpoint_that_cannot_be_read_does_not_stop_the_rest(ill, doctor, tool):
    checkup = doctor("e2e-nowhere", ill.name)
    assert [one["subject"] for one in checkup["not_examined"]] == ["e2e-nowhere"]
    assert checkup["endpoints"] == 1 and "EA003" in rules(checkup)
    assert tool("doctor", "e2e-nowhere").returncode == 3


def test_without_a_name_it_looks_at_the_whole_region(ill, doctor, emulators):
    gone = Endpoint(emulators, "e2e-gone")
    gone.register_target(1, 3)
    try:
        checkup = doctor()
    finally:
        gone.forget_scaling()
    assert the(checkup, "EA007")["subject"] == "endpoint/e2e-gone/variant/AllTraffic"
    assert f"{ill.name}/AllTraffic" in [finding["subject"] for finding in checkup["findings"]]


def test_a_saved_observation_holds_what_the_doctor_needs(ill, doctor, tool, tmp_path):
    observed = tool("observe", ill.name, "--days", "1")
    assert observed.returncode == 0, observed.stderr
    path = tmp_path / "observation.json"
    path.write_text(observed.stdout)
    offline = tool("doctor", str(path), "--format", "json", online=False)
    assert offline.returncode == 0, offline.stderr
    assert rules(json.loads(offline.stdout)) == rules(doctor(ill.name))


def test_it_is_printed_for_people_by_default_and_fails_a_build_where_asked(ill, tool):
    text = tool("doctor", ill.name, "--days", "1", "--at-least", "high", "--exit-code")
    assert text.returncode == 1
    assert text.stdout.startswith(f"{ill.name}\n  EA0") and "medium  " not in text.stdout and "\x1b[" not in text.stdout
