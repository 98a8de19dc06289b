"""What Slack is sent by the webhook's pipe: the template of its input, filled with a report as the pipe fills it."""

import json
import re

import pytest
from slack_sdk.models.blocks import Block
from test_template import ROOT, Deployment

REPORTS = sorted((ROOT / "tests" / "exports").glob("*/report.json"))
# Block Kit's own limit, which the library does not check.
URL_LENGTH = 3000


def filled(template, event):
    """The template with each JSON path replaced by its value, escaped for the string that it stands in."""

    def value(match):
        node = event
        for key, index in re.findall(r"([A-Za-z_]+)|\[(\d+)\]", match[1].removeprefix("$.")):
            node = node[key] if key else (node[int(index)] if len(node) > int(index) else "")
        text = node if isinstance(node, str) else json.dumps(node)
        return json.dumps(text)[1:-1]

    return json.loads(re.sub(r"<(\$\.[^>]+)>", value, template))


@pytest.fixture(scope="module")
def pipe():
    arn = "arn:aws:sns:us-east-1:111122223333:advisor-ReportTopic"
    secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:slack"
    deployment = Deployment("infra/slack-webhook.yaml", ReportTopicArn=arn, WebhookSecretArn=secret)
    (pipe,) = deployment.resources("AWS::Pipes::Pipe").values()
    return pipe["TargetParameters"]["InputTemplate"]


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.parent.name)
def test_a_report_becomes_a_message_that_slack_takes(pipe, path):
    report = json.loads(path.read_text())
    message = filled(pipe, {"body": report})
    blocks = Block.parse_all(message["blocks"])
    assert len(blocks) == len(message["blocks"])
    for block in blocks:
        block.validate_json()
    assert message["text"] == f"{report['endpoint_name']}: {report['diagnosis']['verdict']}, {report['outcome']['status']}"
    urls = [element["url"] for block in message["blocks"] for element in block.get("elements", []) if "url" in element]
    assert urls == [report["links"]["console"], report["links"]["graph"]] and max(map(len, urls)) <= URL_LENGTH


def test_every_text_is_plain(pipe):
    assert "mrkdwn" not in pipe
    assert set(re.findall(r'"type": "(plain_text|mrkdwn|rich_text)"', pipe)) == {"plain_text"}


def test_a_hostile_alarm_stays_words(pipe):
    (path,) = [path for path in REPORTS if path.parent.name == "hostile"]
    report = json.loads(path.read_text())
    assert "<!channel>" in report["trigger"]["alarm_name"] and '"' in report["trigger"]["alarm_name"]
    message = filled(pipe, {"body": report})
    # Only names that SageMaker allows and words of ours reach the one field that Slack reads as markup.
    assert re.fullmatch(r"[A-Za-z0-9-]+: [a-z_]+, [a-z_]+", message["text"])


def test_the_webhook_is_in_no_parameter_and_no_log():
    template = Deployment("infra/slack-webhook.yaml").template
    assert not any("url" in name.lower() for name in template["Parameters"])
    assert template["Resources"]["Webhook"]["Properties"]["InvocationEndpoint"] == {"Fn::Sub": "{{resolve:secretsmanager:${WebhookSecretArn}}}"}


def test_the_pipe_may_take_reports_and_call_the_webhook_alone():
    role = Deployment("infra/slack-webhook.yaml").template["Resources"]["PipeRole"]["Properties"]
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert {tuple(statement["Action"]) if isinstance(statement["Action"], list) else statement["Action"] for statement in statements} == {
        ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"), "events:InvokeApiDestination"}
    assert all(statement["Resource"] != "*" for statement in statements)
