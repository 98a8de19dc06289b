"""The deployed template: what is wired there works, from the queue to the subscribers."""

import json
import time

import pytest
from local_aws.alarm import Alarm
from local_aws.stack import Stack


@pytest.fixture(scope="module")
def stack(emulators):
    return Stack.deploy(emulators, Mode="apply", HistoryDays="1")


@pytest.fixture(scope="module")
def reports(stack):
    return stack.subscribe("ReportTopicArn")


def test_an_alarm_in_the_queue_becomes_a_policy_and_a_report(stack, reports, orders):
    reports.drain()
    stack.send(Alarm(orders.name).eventbridge())
    envelope = reports.receive(60)
    assert envelope, stack.log()[-3000:]
    report = json.loads(envelope["Message"])
    assert report["diagnosis"]["verdict"] == "overload"
    assert report["outcome"]["status"] == "applied"
    assert [policy["PolicyName"] for policy in orders.policies()] == [policy["PolicyName"] for policy in report["plan"]["put_scaling_policies"]]


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
