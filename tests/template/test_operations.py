"""How the advisor is watched itself: its alarms, whom they tell, and its dashboard."""

import fnmatch
import json
import re

import pytest
from test_template import ROOT, Deployment, as_list

TOPIC = "arn:aws:sns:us-east-1:111122223333:operations"


def alarms(**parameters):
    return Deployment("template.yaml", **parameters).resources("AWS::CloudWatch::Alarm")


def test_each_way_to_fail_has_its_alarm():
    watched = {name: (alarm["Namespace"], alarm["MetricName"], *(item["Value"] for item in alarm["Dimensions"])) for name, alarm in alarms().items()}
    assert watched == {
        "FunctionErrors": ("AWS/Lambda", "Errors", "<AdvisorFunction>"),
        "FunctionThrottles": ("AWS/Lambda", "Throttles", "<AdvisorFunction>"),
        "DeadLetters": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "<DeadLetterQueue.QueueName>"),
        "EventsWaiting": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "<EventQueue.QueueName>"),
        "FollowUpsMissed": ("AWS/Scheduler", "InvocationDroppedCount", "<FollowUpGroup>"),
    }


def test_silence_is_no_trouble_and_the_end_of_trouble_is_told():
    for alarm in alarms().values():
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["<OperationsTopic>"]


def test_an_event_may_wait_as_long_as_the_advisor_trusts_it():
    fresh = re.search(r"FRESH: SignedDuration = SignedDuration::from_mins\((\d+)\)", (ROOT / "src/advise/session.rs").read_text())
    assert alarms()["EventsWaiting"]["Threshold"] == 60 * int(fresh[1])


def test_no_alarm_of_ours_is_taken_for_one_of_an_endpoint():
    prefix = Deployment("template.yaml").parameters["AlarmNamePrefix"]
    assert not [alarm for alarm in alarms().values() if alarm["AlarmName"].startswith(prefix)]


def test_the_function_may_not_touch_the_alarms_that_watch_it():
    """Neither under the default name of the stack, nor under that of the product's own alarms."""
    deployment = Deployment("template.yaml", Mode="apply")
    patterns = [resource.rsplit(":", 1)[1] for item in deployment.identity_statements() if "cloudwatch:DeleteAlarms" in item["Action"]
                for resource in as_list(item["Resource"])]
    assert patterns
    deployment.parameters["AWS::StackName"] = "endpoint-advisor"
    names = [alarm["AlarmName"] for alarm in deployment.resources("AWS::CloudWatch::Alarm").values()]
    assert names and not [name for name in names for pattern in patterns if fnmatch.fnmatch(name, pattern)]


def test_operations_may_have_a_topic_already():
    deployment = Deployment("template.yaml", ExistingOperationsTopicArn=TOPIC, OperationsEmail="a@example.com")
    assert "OperationsTopic" not in deployment.resources() and not deployment.resources("AWS::SNS::Subscription")
    assert all(alarm["AlarmActions"] == [TOPIC] for alarm in alarms(ExistingOperationsTopicArn=TOPIC).values())


def test_operations_hear_by_mail_where_an_address_is_given():
    (subscription,) = Deployment("template.yaml", OperationsEmail="a@example.com").resources("AWS::SNS::Subscription").values()
    assert (subscription["TopicArn"], subscription["Endpoint"]) == ("<OperationsTopic>", "a@example.com")


@pytest.mark.parametrize("alarm", alarms().values(), ids=lambda alarm: alarm["AlarmName"])
def test_every_alarm_is_in_the_runbook_by_the_name_that_it_gives(alarm):
    heading = re.fullmatch(r".*docs/operate\.md, ([a-z-]+)", alarm["AlarmDescription"])[1]
    assert alarm["AlarmName"] == f"operations-advisor-{heading}"
    assert f"\n### {heading}\n" in (ROOT / "docs/operate.md").read_text()


def dashboard():
    (properties,) = Deployment("template.yaml").resources("AWS::CloudWatch::Dashboard").values()
    return json.loads(properties["DashboardBody"])["widgets"]


def test_the_dashboard_can_be_left_out():
    deployment = Deployment("template.yaml", Dashboard="no")
    assert not deployment.resources("AWS::CloudWatch::Dashboard")
    assert not deployment.condition(deployment.template["Outputs"]["DashboardUrl"]["Condition"])


def test_the_widgets_lie_side_by_side_on_24_columns():
    cells = set()
    for widget in dashboard():
        assert widget["x"] + widget["width"] <= 24
        for x in range(widget["x"], widget["x"] + widget["width"]):
            for y in range(widget["y"], widget["y"] + widget["height"]):
                assert (x, y) not in cells
                cells.add((x, y))


def test_the_dashboard_shows_every_metric_that_the_function_writes_and_every_alarm():
    written = (ROOT / "src/report/emf.rs").read_text().split("#[cfg(test)]")[0]
    namespace = re.search(r'NAMESPACE: &str = "(\w+)"', written)[1]
    metrics = set(re.findall(r'"Name": "(\w+)"', written))
    shown, alarmed = set(), []
    for widget in dashboard():
        alarmed += widget["properties"].get("alarms", [])
        for metric in widget["properties"].get("metrics", []):
            if isinstance(metric[0], dict):
                space, name = re.search(r"\{(\w+),.*MetricName=\"(\w+)\"", metric[0]["expression"]).groups()
            else:
                space, name = metric[:2]
            if space == namespace:
                shown.add(name)
    assert shown == metrics and metrics
    assert alarmed == [f"<{name}.Arn>" for name in alarms()]
