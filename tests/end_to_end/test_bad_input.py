"""Missing, broken and hostile input: a clear report or a clear error, never a silent success and never a write."""

import json

import pytest
from local_aws.alarm import Alarm, failed_messages, sqs
from local_aws.emulators import ACCOUNT, REGION
from local_aws.endpoint import Endpoint
from local_aws.gateway import denied, throttled
from local_aws.runtime_api import Function, FunctionError


@pytest.mark.parametrize("event", [{}, {"hello": "world"}, [], None, "text", {"advise": {}}, {"advise": {"endpoint_name": 7}}, {"Records": []},
                                   {"detail-type": "Something Else", "source": "aws.cloudwatch", "detail": {}}])
def test_an_event_nobody_understands_is_an_error_that_says_what_was_expected(event, advisor):
    with pytest.raises(FunctionError) as error:
        advisor().invoke(event)
    assert error.value.type == "InvalidEvent"
    assert error.value.message


def test_an_unknown_endpoint_asked_for_by_hand_is_an_error(orders, advisor):
    with pytest.raises(FunctionError) as error:
        advisor().invoke({"advise": {"endpoint_name": "e2e-nowhere"}})
    assert error.value.type == "EndpointNotFound"
    assert "e2e-nowhere" in error.value.message


def test_an_endpoint_that_is_updating_is_diagnosed_and_left_alone(orders, advise, emulators):
    emulators.gateway.endpoint_status[orders.name] = "Updating"
    report = advise(Alarm(orders.name).eventbridge(), mode="apply")
    assert report["diagnosis"]["blocked_by"] == "endpoint_not_in_service"
    assert report["outcome"]["status"] == "refused"
    assert emulators.gateway.writes() == []


def test_an_endpoint_without_data_gets_a_report_that_says_so(emulators, orders, advise):
    name = "e2e-silent"
    Endpoint.create(emulators, name)
    report = advise({"advise": {"endpoint_name": name, "latency_slo_ms": 500}}, mode="apply")
    assert report["diagnosis"]["verdict"] == "insufficient_data"
    assert report["plan"]["action"] == "hold"
    assert emulators.gateway.writes() == []


def test_with_half_of_the_metrics_missing_the_report_is_less_sure(endpoint, advise):
    partial = endpoint("overload", without=("CPUUtilization", "MemoryUtilization", "ConcurrentRequestsPerModel", "OverheadLatency"))
    whole = advise(Alarm(endpoint("overload").name).eventbridge())["diagnosis"]
    half = advise(Alarm(partial.name).eventbridge())["diagnosis"]
    assert half["confidence"] < whole["confidence"]
    assert half["summary"]


def test_hostile_text_in_an_alarm_harms_no_message(orders, advisor, topics):
    hostile = "'\"><script>alert(1)</script>\r\nBcc: x@example.com \u202e\U0001f600 {{}} `rm` <!channel> " * 8
    name = "endpoint-latency-\"<b>'\u00e9\u00e9"
    for shape in (Alarm(orders.name, name=name, description=hostile).eventbridge(), Alarm(orders.name, name=name, description=hostile).sns()):
        advisor().invoke(shape)
    envelopes, cards = topics.envelopes("report"), topics.cards()
    assert len(envelopes) == len(cards) == 2
    for envelope in envelopes:
        subject = envelope["Subject"]
        assert len(subject) < 100
        assert all(" " <= character <= "~" for character in subject), subject
        assert json.loads(envelope["Message"])["trigger"]["alarm_name"] == name
    for card in cards:
        assert (card["version"], card["source"]) == ("1.0", "custom")
        assert card["content"]["textType"] == "client-markdown"
        assert 0 < len(card["content"]["description"]) <= 8000
        assert len(card["content"].get("title", "")) <= 250
        assert all(len(step) <= 350 for step in card["content"].get("nextSteps", []))
        assert all(len(keyword) <= 75 for keyword in card["content"].get("keywords", []))
        assert "<script>" not in json.dumps(card)
        assert "<!channel>" not in json.dumps(card)


def test_a_call_that_is_throttled_once_is_tried_again(orders, advise, emulators):
    emulators.gateway.faults = [throttled("DescribeEndpoint", times=1)]
    assert advise(Alarm(orders.name).eventbridge())["diagnosis"]["verdict"] == "overload"


@pytest.mark.parametrize("operation", ["DescribeEndpoint", "GetMetricData"])
def test_a_call_that_stays_throttled_is_an_error_that_can_be_retried(operation, orders, advisor, emulators, topics):
    emulators.gateway.faults = [throttled(operation)]
    with pytest.raises(FunctionError) as error:
        advisor(mode="apply").invoke(Alarm(orders.name).eventbridge())
    assert error.value.type == "Throttled"
    assert emulators.gateway.writes() == []
    assert failed_messages(advisor(mode="apply").invoke(sqs(Alarm(orders.name).eventbridge()))) == ["message-0"]


@pytest.mark.parametrize("operation, action", [("DescribeEndpoint", "sagemaker:DescribeEndpoint"), ("GetMetricData", "cloudwatch:GetMetricData")])
def test_a_denied_read_is_an_error_that_names_the_action(operation, action, orders, advisor, emulators):
    emulators.gateway.faults = [denied(operation, action)]
    with pytest.raises(FunctionError) as error:
        advisor().invoke(Alarm(orders.name).eventbridge())
    assert error.value.type == "AccessDenied"
    assert action in error.value.message


@pytest.mark.parametrize("operation", ["DescribeScalingActivities", "ListTagsForResource"])
def test_a_denied_read_of_something_optional_costs_only_a_warning(operation, orders, advise, emulators):
    emulators.gateway.faults = [denied(operation, f"some:{operation}")]
    assert advise(Alarm(orders.name).eventbridge())["diagnosis"]["verdict"] == "overload"


def test_where_the_tags_of_the_endpoint_cannot_be_read_nothing_is_written(orders, advise, emulators):
    emulators.gateway.faults = [denied("ListTags", "sagemaker:ListTags")]
    report = advise(Alarm(orders.name).eventbridge(), mode="apply")
    assert report["diagnosis"]["verdict"] == "overload"
    assert report["outcome"]["status"] == "refused"
    assert emulators.gateway.writes() == []


def test_a_denied_write_is_reported_to_people(orders, advise, emulators, topics):
    emulators.gateway.faults = [denied("RegisterScalableTarget", "application-autoscaling:RegisterScalableTarget")]
    report = advise(Alarm(orders.name).eventbridge(), mode="apply")
    assert report["outcome"]["status"] == "failed"
    assert [published["outcome"]["status"] for published in topics.reports()] == ["failed"]


def test_a_throttled_write_fails_so_that_it_is_tried_again(orders, advisor, emulators):
    emulators.gateway.faults = [throttled("PutScalingPolicy")]
    with pytest.raises(FunctionError) as error:
        advisor(mode="apply").invoke(Alarm(orders.name).eventbridge())
    assert error.value.type == "WriteFailed"


def test_a_report_that_reaches_nobody_is_an_error(orders, advisor):
    with pytest.raises(FunctionError) as error:
        advisor(report_topic_arn=f"arn:aws:sns:{REGION}:{ACCOUNT}:gone").invoke(Alarm(orders.name).eventbridge())
    assert error.value.type == "DeliveryFailed"


def test_without_any_topic_the_report_warns(orders, advise):
    assert any("topic" in warning.lower() for warning in advise(Alarm(orders.name).eventbridge(), report_topic_arn="", chat_topic_arn="")["warnings"])


def test_no_level_of_logging_shows_what_aws_answers(emulators):
    """The environment variables of a model's container are an answer of DescribeModel, and the SDK would log it at DEBUG or TRACE."""
    name, secret = "e2e-with-a-secret", "hunter2-of-the-container"
    endpoint = Endpoint.create(emulators, name)
    sagemaker = emulators.client("sagemaker")
    sagemaker.delete_model(ModelName=name)
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/model", PrimaryContainer={
        "Image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1", "Environment": {"TOKEN": secret}})
    emulators.gateway.calls.clear()
    with Function(emulators, {"AWS_LAMBDA_LOG_LEVEL": "TRACE"}) as function:
        function.invoke({"advise": {"endpoint_name": endpoint.name, "latency_slo_ms": 500}})
        log = function.log()
    assert "DescribeModel" in emulators.gateway.operations()
    assert name in log
    assert secret not in log and "AWS4-HMAC-SHA256" not in log
