"""The deployed advisor as those see it who keep it running: with all that an organisation may ask for, its alarms, its dashboard,
and the metrics in its log."""

import json
import sys
import time

import pytest
from local_aws.alarm import Alarm
from local_aws.binaries import CHECKOUT, binary
from local_aws.emulators import ACCOUNT, REGION
from local_aws.gateway import denied
from local_aws.schedules import Schedules
from local_aws.stack import Stack


@pytest.fixture(scope="module")
def stack(emulators):
    key = emulators.client("kms").create_key()["KeyMetadata"]["Arn"]
    boundary = emulators.client("iam").create_policy(PolicyName="boundary", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))["Policy"]["Arn"]
    return Stack.deploy(emulators, "organisation", Mode="recommend", HistoryDays="1", OperationsEmail="operations@example.com",
                        KmsKeyArn=key, PermissionsBoundaryArn=boundary, Tracing="Active", ReservedConcurrency="10")


@pytest.fixture(scope="module", autouse=True)
def own_alarms(stack, emulators):
    return emulators.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"operations-{stack.name}-")["MetricAlarms"]


@pytest.fixture
def smoke(tool, stack, own_alarms, emulators, orders):
    """`smoke()`: checks the deployment by an alarm of the overloaded endpoint. Before each test with an endpoint all alarms are
    deleted, so the deployment's own are put back."""
    kept = ("AlarmName", "AlarmDescription", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods", "ComparisonOperator",
            "Threshold", "TreatMissingData", "AlarmActions", "OKActions")
    for alarm in own_alarms:
        emulators.client("cloudwatch").put_metric_alarm(**{key: alarm[key] for key in kept if key in alarm})
    emulators.gateway.reset()
    Schedules(emulators, stack.outputs["FollowUpGroupName"]).forget()
    return lambda *options: tool("smoke", "--stack", stack.name, "--endpoint", orders.name, *options)


def what_is_left(emulators, stack):
    queues = emulators.client("sqs").list_queues(QueueNamePrefix="smoke-test-of-endpoint-advisor-").get("QueueUrls", [])
    subscriptions = emulators.client("sns").list_subscriptions_by_topic(TopicArn=stack.outputs["ReportTopicArn"])["Subscriptions"]
    return queues + [item["Endpoint"] for item in subscriptions if "smoke" in item["Endpoint"]]


def test_plain_cloudformation_gives_the_same_stack(stack, emulators, tmp_path):
    sys.path.insert(0, str(CHECKOUT / "infra"))
    from plain_template import plain_template
    from zip_function import zip_function

    zip_function(binary("bootstrap"), tmp_path / "function.zip")
    emulators.client("s3").create_bucket(Bucket=f"code-{REGION}")
    emulators.client("s3").upload_file(str(tmp_path / "function.zip"), f"code-{REGION}", "function.zip")
    cloudformation = emulators.client("cloudformation")
    parameters = {"CodeBucketPrefix": "code", "CodeKey": "function.zip", "Architecture": "x86_64"}
    cloudformation.create_stack(StackName="plain", TemplateBody=json.dumps(plain_template(), separators=(",", ":")), Capabilities=["CAPABILITY_IAM"],
                                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()])
    cloudformation.get_waiter("stack_create_complete").wait(StackName="plain", WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    def logical_names(name):
        listed = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        return {resource["LogicalResourceId"] for resource in listed}

    names = logical_names("plain")
    # The numbers of its event source mapping are text (see `Stack`), and the emulator's poller stops at them.
    cloudformation.delete_stack(StackName="plain")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="plain", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert names == logical_names(stack.name) - {"OperationsEmailSubscription"}


def test_trouble_is_told_to_the_operations_topic(stack, emulators):
    alarms = emulators.client("cloudwatch").describe_alarms(AlarmNamePrefix="operations-organisation-")["MetricAlarms"]
    assert sorted(alarm["AlarmName"] for alarm in alarms) == [
        f"operations-organisation-{name}" for name in ("dead-letters", "events-waiting", "follow-ups-missed", "function-errors", "function-throttles")]
    for alarm in alarms:
        assert alarm["AlarmActions"] == alarm["OKActions"] == [stack.outputs["OperationsTopicArn"]]
        assert all(item["Value"] for item in alarm["Dimensions"])
    topic = emulators.client("sns").list_subscriptions_by_topic(TopicArn=stack.outputs["OperationsTopicArn"])
    assert [(item["Protocol"], item["Endpoint"]) for item in topic["Subscriptions"]] == [("email", "operations@example.com")]


def test_the_alarms_name_the_queues_and_the_function_that_are_there(stack, emulators):
    alarms = {alarm["AlarmName"]: {item["Name"]: item["Value"] for item in alarm["Dimensions"]}
              for alarm in emulators.client("cloudwatch").describe_alarms(AlarmNamePrefix="operations-organisation-")["MetricAlarms"]}
    assert alarms["operations-organisation-dead-letters"] == {"QueueName": stack.outputs["DeadLetterQueueUrl"].rsplit("/", 1)[1]}
    assert alarms["operations-organisation-events-waiting"] == {"QueueName": stack.outputs["QueueUrl"].rsplit("/", 1)[1]}
    assert alarms["operations-organisation-function-errors"] == {"FunctionName": stack.outputs["FunctionName"]}
    assert alarms["operations-organisation-follow-ups-missed"] == {"ScheduleGroup": stack.outputs["FollowUpGroupName"]}


def test_the_dashboard_is_json_with_every_name_filled_in(stack, emulators):
    body = emulators.client("cloudwatch").get_dashboard(DashboardName=f"organisation-{REGION}")["DashboardBody"]
    assert len(json.loads(body)["widgets"]) == 10 and "${" not in body
    assert stack.outputs["FunctionName"] in body and f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:operations-organisation-dead-letters" in body


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


def test_smoke_shows_that_a_deployment_hears_reads_and_is_heard(smoke, stack, orders, emulators):
    done = smoke("--exit-code")
    assert done.returncode == 0, done.stdout + done.stderr + stack.log()[-2000:]
    assert stack.outputs["QueueUrl"].rsplit("/", 1)[1] in done.stdout and stack.outputs["ReportTopicArn"] in done.stdout
    # No alarm of that name is there to say what the endpoint should keep.
    assert f"{orders.name}/AllTraffic after " in done.stdout and ": overload; no latency objective is known" in done.stdout
    assert "It takes events, reads all that it needs, and is heard." in done.stdout
    assert what_is_left(emulators, stack) == []
    # It opens no incident and changes no scaling.
    assert emulators.client("scheduler").list_schedules(GroupName=stack.outputs["FollowUpGroupName"])["Schedules"] == []
    assert [call for call in emulators.gateway.writes() if call.service == "application-autoscaling"] == []


def test_smoke_names_the_permission_that_is_missing(smoke, stack, emulators):
    emulators.gateway.faults = [denied("DescribeScheduledActions", "application-autoscaling:DescribeScheduledActions")]
    done = smoke("--exit-code")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "(allow application-autoscaling:DescribeScheduledActions)" in done.stdout
    assert what_is_left(emulators, stack) == []


def test_smoke_says_so_where_nothing_comes_back(smoke, stack, emulators):
    emulators.gateway.faults = [denied("GetMetricData", "cloudwatch:GetMetricData")]
    done = smoke("--seconds", "8")
    assert done.returncode == 3 and "No report" in done.stdout and f"/aws/lambda/{stack.name}" in done.stdout
    assert what_is_left(emulators, stack) == []


def test_smoke_leaves_an_open_incident_alone(smoke, stack, orders, emulators):
    reports = stack.subscribe("ReportTopicArn")
    reports.drain()
    stack.send(Alarm(orders.name).eventbridge())
    assert reports.receive(60), stack.log()[-3000:]
    done = smoke("--seconds", "20")
    assert done.returncode == 2 and f"an incident of {orders.name}/AllTraffic is open" in done.stderr
    assert what_is_left(emulators, stack) == []


def test_smoke_of_what_is_not_deployed_is_bad_input(tool, emulators):
    done = tool("smoke", "--stack", "nowhere")
    assert done.returncode == 2 and "no deployment `nowhere` in us-east-1" in done.stderr
