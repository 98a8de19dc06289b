"""A few cells of the matrix of faults (`make bench-faults` plays all of them, docs/reliability.md says what it is), and a slow CloudWatch."""

import re
from datetime import timedelta

import pytest
from botocore.parsers import RpcV2CBORParser
from local_aws.alarm import Alarm, failed_messages, sqs
from local_aws.binaries import CHECKOUT
from local_aws.endpoint import Endpoint
from local_aws.fault_judge import AS_EVER, LATER, RETRIED, SAID, Cell, Judge
from local_aws.fault_matrix import called
from local_aws.fault_scenes import APPLY, NOT_PLAYED, SCENES, Stage
from local_aws.faults import KINDS, Fault
from local_aws.runtime_api import Function


@pytest.fixture(scope="module")
def first_policy(emulators):
    emulators.gateway.reset()
    judge = Judge(SCENES["first policy"](Stage(emulators, "faults")))
    judge.look()
    yield judge
    emulators.gateway.reset()


@pytest.mark.parametrize(("operation", "kind", "letters"), [
    ("DescribeEndpoint", "skew", AS_EVER),
    ("DescribeModel", "truncated", SAID),
    ("ListTags", "denied", SAID),
    ("GetMetricData", "throttle", RETRIED),
    ("GetMetricData", "empty", RETRIED),
    ("GetSchedule", "500", SAID),
    ("CreateSchedule", "reset", AS_EVER),
    ("PutScalingPolicy", "timeout", RETRIED),
    ("PutScalingPolicy", "invalid", SAID),
    ("RegisterScalableTarget", "503", RETRIED),
    ("Publish", "drip", RETRIED),
    ("UpdateSchedule", "denied", RETRIED),
])
def test_a_fault_leads_to_no_wrong_write_and_is_told_or_tried_again(operation, kind, letters, first_policy):
    cell = Cell("first policy", operation, kind)
    first_policy.judge(cell)
    assert cell.letter in letters, cell


def test_each_operation_is_in_the_matrix_or_has_a_reason_not_to_be():
    page = (CHECKOUT / "docs" / "reliability.md").read_text()
    played = set(re.findall(r"^\| `([A-Z]\w+)` \|", page, re.MULTILINE))
    assert called() == played | set(NOT_PLAYED)
    assert not played & set(NOT_PLAYED)
    for kind in KINDS:
        assert f"`{kind}`" in page
    for letter in (AS_EVER, SAID, RETRIED, LATER):
        assert f"`{letter}`" in page


def is_of_more_than_a_day(body):
    """A request to CloudWatch, in CBOR."""
    parser = RpcV2CBORParser()
    asked = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))
    return asked["EndTime"] - asked["StartTime"] > timedelta(days=1)


def test_where_history_drips_the_last_day_has_to_do_and_the_report_says_so(emulators, topics):
    """The report comes before the function's deadline; what was applied is what a day of history carries."""
    emulators.gateway.reset()
    endpoint = Endpoint.simulate(emulators, "slow-history", "overload", 3)
    endpoint.history.write()
    now = Alarm(endpoint.name).at
    emulators.gateway.disturbance = Fault("GetMetricData", "drip", lambda: now, only=is_of_more_than_a_day)
    settings = topics.settings | APPLY | {"ADVISOR_HISTORY_DAYS": "3"}
    with Function(emulators, settings, timeout=60) as function:  # what the template gives
        assert function.invoke(sqs(Alarm(endpoint.name).eventbridge()))["batchItemFailures"] == [], function.log()[-2000:]
    [report] = topics.reports()
    [cut] = [warning for warning in report["warnings"] if "history" in warning]
    assert cut.startswith("Of 3 days of history only the last 24 hours were read (cloudwatch:GetMetricData failed: no answer in time)")
    assert (report["diagnosis"]["verdict"], report["outcome"]["status"]) == ("overload", "applied")
    assert report["plan"]["forecast"]["days"] == 1


def test_events_of_a_batch_that_can_no_longer_be_served_go_back_at_once(orders, emulators, topics):
    """The first one uses up the time: CloudWatch does not answer."""
    emulators.gateway.disturbance = Fault("GetMetricData", "timeout", lambda: None)
    with Function(emulators, topics.settings | {"ADVISOR_HISTORY_DAYS": "1"}, timeout=25) as function:
        answer = function.invoke(sqs(*[Alarm(orders.name).eventbridge()] * 3))
        log = function.log()
    emulators.gateway.disturbance = None
    assert failed_messages(answer) == ["message-0", "message-1", "message-2"]
    assert (log.count('"error_type":"ReadFailed"'), log.count('"error_type":"OutOfTime"')) == (1, 2)
    assert emulators.gateway.operations().count("DescribeEndpoint") == 1
