"""The deployed template: what is wired there works, from the queue to the subscribers."""

import json
import time
from datetime import datetime, timedelta, timezone

import pytest
from local_aws.alarm import Alarm
from local_aws.fleet import populate
from local_aws.schedules import Schedules
from local_aws.stack import Stack


@pytest.fixture(scope="module")
def stack(emulators):
    return Stack.deploy(emulators, Mode="apply", HistoryDays="1")


@pytest.fixture(scope="module")
def reports(stack):
    return stack.subscribe("ReportTopicArn")


@pytest.fixture(autouse=True)
def schedules(emulators, stack):
    """Those of the deployed group. No incident is open when a test begins."""
    schedules = Schedules(emulators, stack.outputs["FollowUpGroupName"])
    schedules.forget()
    return schedules


def test_an_alarm_in_the_queue_becomes_a_policy_and_a_report(stack, reports, orders):
    reports.drain()
    stack.send(Alarm(orders.name).eventbridge())
    envelope = reports.receive(60)
    assert envelope, stack.log()[-3000:]
    report = json.loads(envelope["Message"])
    assert report["diagnosis"]["verdict"] == "overload"
    assert report["outcome"]["status"] == "applied"
    assert [policy["PolicyName"] for policy in orders.policies()] == [policy["PolicyName"] for policy in report["plan"]["put_scaling_policies"]]


def test_scheduler_brings_an_incident_back_into_the_queue_and_to_the_function(stack, schedules, reports, orders):
    reports.drain()
    stack.send(Alarm(orders.name).eventbridge())
    assert reports.receive(60), stack.log()[-3000:]
    # The report goes out a moment before the function remembers that it did.
    deadline = time.monotonic() + 10
    while schedules.event(orders)["follow_up"]["claim"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert schedules.event(orders)["follow_up"]["claim"] is None, stack.log()[-3000:]
    # The emulator looks every ten seconds for schedules that are due.
    soon = datetime.now(timezone.utc) + timedelta(seconds=2)
    schedules.move(orders, soon)
    deadline = time.monotonic() + 45
    while schedules.due(orders) < soon + timedelta(minutes=1) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert schedules.due(orders) > soon + timedelta(minutes=1), stack.log()[-3000:]  # looked at, and to be looked at again
    assert schedules.event(orders)["follow_up"]["looks"] == 1
    assert stack.waiting("DeadLetterQueueUrl") == 0


def test_a_message_that_is_not_understood_stays_in_the_queue(stack, reports, orders):
    reports.drain()
    stack.send({"neither": "fish nor fowl"})
    stack.send(Alarm(orders.name).eventbridge())
    assert reports.receive(60), stack.log()[-3000:]
    # The good one is deleted a moment after its report; the bad one is hidden until it is tried again.
    deadline = time.monotonic() + 10
    while stack.waiting() > 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert stack.waiting() == 1


def test_the_function_can_be_called_directly(stack, orders, emulators):
    answer = emulators.client("lambda").invoke(FunctionName=stack.outputs["FunctionName"], Payload=json.dumps(Alarm(orders.name).direct_action()))
    assert "FunctionError" not in answer
    [report] = json.loads(answer["Payload"].read())["reports"]
    assert report["trigger"]["kind"] == "direct_alarm"


def test_an_audit_goes_through_the_queue_in_parts_and_comes_back_as_one_message(stack, schedules, reports, emulators):
    populate(emulators, 60)
    reports.drain()
    stack.send({"audit": {}})
    deadline = time.monotonic() + 120
    done = lambda: [name for name in schedules.names() if name.startswith("ea-audit-")]
    while len(done()) < 4 and time.monotonic() < deadline:  # the Region's own, and at least three parts
        time.sleep(0.5)
    assert len(done()) >= 4, stack.log()[-3000:]
    assert not reports.drain(), "a part tells nobody"
    # It is gathered after three minutes; the test does not wait so long.
    progress = emulators.client("scheduler").get_schedule(GroupName=schedules.group, Name="ea-audit")
    stack.send(json.loads(progress["Target"]["Input"]))
    envelope = reports.receive(60, wanted=lambda envelope: envelope["MessageAttributes"]["status"]["Value"] == "audit")
    assert envelope, stack.log()[-3000:]
    summary = json.loads(envelope["Message"])["audit"]
    assert summary["endpoints"] >= 60 and summary["missing_batches"] == 0
    assert summary["by_rule"]["EA001"] >= 54, "those without a scalable target"
    deadline = time.monotonic() + 10
    while schedules.names() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert schedules.names() == []
    assert stack.waiting("DeadLetterQueueUrl") == 0
