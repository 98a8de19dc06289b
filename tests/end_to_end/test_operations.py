"""The deployed advisor as those see it who keep it running: with all that an organisation may ask for, its alarms, its dashboard,
and the metrics in its log."""

import json
import time

import pytest
from local_aws.alarm import Alarm
from local_aws.emulators import ACCOUNT, REGION
from local_aws.stack import Stack


@pytest.fixture(scope="module")
def stack(emulators):
    key = emulators.client("kms").create_key()["KeyMetadata"]["Arn"]
    boundary = emulators.client("iam").create_policy(PolicyName="boundary", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))["Policy"]["Arn"]
    return Stack.deploy(emulators, "organisation", Mode="recommend", HistoryDays="1", OperationsEmail="operations@example.com",
                        KmsKeyArn=key, PermissionsBoundaryArn=boundary, Tracing="Active", ReservedConcurrency="10")


def test_trouble_is_told_to_the_operations_topic(stack, emulators):
    alarms = emulators.client("cloudwatch").describe_alarms(AlarmNamePrefix="organisation-")["MetricAlarms"]
    assert sorted(alarm["AlarmName"] for alarm in alarms) == [
        f"organisation-{name}" for name in ("dead-letters", "events-waiting", "follow-ups-missed", "function-errors", "function-throttles")]
    for alarm in alarms:
        assert alarm["AlarmActions"] == alarm["OKActions"] == [stack.outputs["OperationsTopicArn"]]
        assert all(item["Value"] for item in alarm["Dimensions"])
    topic = emulators.client("sns").list_subscriptions_by_topic(TopicArn=stack.outputs["OperationsTopicArn"])
    assert [(item["Protocol"], item["Endpoint"]) for item in topic["Subscriptions"]] == [("email", "operations@example.com")]


def test_the_alarms_name_the_queues_and_the_function_that_are_there(stack, emulators):
    alarms = {alarm["AlarmName"]: {item["Name"]: item["Value"] for item in alarm["Dimensions"]}
              for alarm in emulators.client("cloudwatch").describe_alarms(AlarmNamePrefix="organisation-")["MetricAlarms"]}
    assert alarms["organisation-dead-letters"] == {"QueueName": stack.outputs["DeadLetterQueueUrl"].rsplit("/", 1)[1]}
    assert alarms["organisation-events-waiting"] == {"QueueName": stack.outputs["QueueUrl"].rsplit("/", 1)[1]}
    assert alarms["organisation-function-errors"] == {"FunctionName": stack.outputs["FunctionName"]}
    assert alarms["organisation-follow-ups-missed"] == {"ScheduleGroup": stack.outputs["FollowUpGroupName"]}


def test_the_dashboard_is_json_with_every_name_filled_in(stack, emulators):
    body = emulators.client("cloudwatch").get_dashboard(DashboardName=f"organisation-{REGION}")["DashboardBody"]
    assert len(json.loads(body)["widgets"]) == 10 and "${" not in body
    assert stack.outputs["FunctionName"] in body and f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:organisation-dead-letters" in body


def test_a_report_is_counted_beside_its_line(stack, orders):
    reports = stack.subscribe("ReportTopicArn")
    stack.send(Alarm(orders.name).eventbridge())
    assert reports.receive(60), stack.log()[-3000:]
    deadline = time.monotonic() + 10
    while "ApiCalls" not in stack.log() and time.monotonic() < deadline:
        time.sleep(0.1)
    log = [json.loads(line) for line in stack.log().splitlines() if line.startswith("{")]
    (report,) = [line for line in log if "diagnosis" in line]
    counted = [line for line in log if "_aws" in line]
    (of_report,) = [line for line in counted if "Reports" in line]
    assert (of_report["Verdict"], of_report["Status"], of_report["Reports"]) == (report["diagnosis"]["verdict"], report["outcome"]["status"], 1)
    assert of_report["Changes"] == 0 and of_report["SecondsSinceAlarm"] >= 0
    (of_event,) = [line for line in counted if "ApiCalls" in line]
    (told,) = [line for line in log if line.get("message") == "advised"]
    assert of_event["ApiCalls"] == told["aws_calls"] > 0
    for line in counted:
        for directive in line["_aws"]["CloudWatchMetrics"]:
            assert directive["Namespace"] == "EndpointAdvisor"
            for metric in directive["Metrics"]:
                assert isinstance(line[metric["Name"]], (int, float)) and metric["Unit"] in ("Count", "Seconds")
            for dimension in (name for names in directive["Dimensions"] for name in names):
                assert isinstance(line[dimension], str)
