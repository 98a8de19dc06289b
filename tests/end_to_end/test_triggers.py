"""Whatever way the alarm comes in, the same incident gets the same answer."""

import json

import pytest
from local_aws.alarm import Alarm, failed_messages, sqs

SHAPES = {
    "EventBridge": lambda alarm: alarm.eventbridge(),
    "direct alarm action": lambda alarm: alarm.direct_action(),
    "SNS": lambda alarm: alarm.sns(),
    "SQS with an EventBridge event": lambda alarm: sqs(alarm.eventbridge()),
    "SQS with an SNS envelope": lambda alarm: sqs(alarm.sns_envelope()),
    "SQS with a raw message": lambda alarm: sqs(alarm.message()),
}
KINDS = {"EventBridge": "eventbridge_alarm", "direct alarm action": "direct_alarm", "SNS": "sns_alarm",
         "SQS with an EventBridge event": "eventbridge_alarm", "SQS with an SNS envelope": "sns_alarm", "SQS with a raw message": "sns_alarm"}
# Shape and form are read apart from each other, so not every pair has to be asked.
ASKED = [(shape, "metric") for shape in SHAPES] + [(shape, form) for shape in ("EventBridge", "SNS") for form in ("math", "composite")]


def test_every_shape_and_form_of_the_alarm_gives_the_same_verdict_and_plan(emulators, orders, advisor, topics):
    child = Alarm(orders.name)
    child.put(emulators.client("cloudwatch"))
    function = advisor()

    def ask(shape, form):
        alarm = child if form == "metric" else Alarm(orders.name, name=f"{form}-of-{orders.name}", form=form, child=child.name)
        function.invoke(SHAPES[shape](alarm))
        [report] = topics.reports()
        return report

    # A report is about the minutes until now, so all have to be asked within one minute to be comparable.
    for _ in range(3):
        orders.history.up_to_now()
        reports = {(shape, form): ask(shape, form) for shape, form in ASKED}
        if len({report["at"][:16] for report in reports.values()}) == 1:
            break
    assert {shape: report["trigger"]["kind"] for (shape, form), report in reports.items() if form == "metric"} == KINDS
    answers = {asked: (report["diagnosis"]["verdict"], report["diagnosis"]["sub_cause"], report["capacity"]["latency_slo_ms"], report["plan"]["digest"])
               for asked, report in reports.items()}
    assert len(set(answers.values())) == 1, answers
    assert reports["EventBridge", "metric"]["diagnosis"]["verdict"] == "overload"


@pytest.mark.parametrize("shape", ["EventBridge", "direct alarm action", "SNS"])
def test_an_anomaly_alarm_has_no_threshold_and_still_a_verdict(shape, orders, advise):
    alarm = Alarm(orders.name, name="anomaly", form="anomaly")
    assert advise(SHAPES[shape](alarm))["diagnosis"]["verdict"] == "overload"


def test_by_hand_the_verdict_is_the_same_as_by_alarm(orders, advise):
    by_alarm = advise(Alarm(orders.name).eventbridge())
    by_hand = advise({"advise": {"endpoint_name": orders.name, "latency_slo_ms": 500, "slo_statistic": "p90"}})
    assert by_hand["trigger"]["kind"] == "manual"
    assert by_hand["diagnosis"]["verdict"] == by_alarm["diagnosis"]["verdict"]
    assert by_hand["diagnosis"]["sub_cause"] == by_alarm["diagnosis"]["sub_cause"]


IGNORED = {
    "OK": lambda name: Alarm(name, state="OK").eventbridge(),
    "INSUFFICIENT_DATA": lambda name: Alarm(name, state="INSUFFICIENT_DATA").eventbridge(),
    "muted": lambda name: _muted(Alarm(name).eventbridge()),
    "an alarm of Application Auto Scaling": lambda name: Alarm(name, name=f"TargetTracking-endpoint/{name}/variant/AllTraffic-AlarmHigh-1").eventbridge(),
    "another namespace": lambda name: Alarm(name, namespace="AWS/EC2", metric="CPUUtilization").eventbridge(),
    "an endpoint that is gone": lambda name: Alarm("e2e-gone").eventbridge(),
}


def _muted(event):
    event["detail"]["muteDetail"] = {"mutedByArn": "arn:aws:cloudwatch:us-east-1:111122223333:alarm-mute-rule:window",
                                     "muteWindowStart": "2026-10-05T09:00:00.000+0000", "muteWindowEnd": "2026-10-05T10:00:00.000+0000"}
    return event


@pytest.mark.parametrize("what", IGNORED)
def test_an_event_that_asks_for_nothing_is_ignored_with_a_reason(what, orders, advisor, topics, emulators):
    answer = advisor(mode="apply").invoke(IGNORED[what](orders.name))
    assert answer["reports"] == []
    assert answer["ignored"]
    assert topics.envelopes("report") == topics.envelopes("chat") == []
    assert emulators.gateway.writes() == []


def test_in_a_batch_only_the_bad_message_fails(orders, advisor, topics):
    answer = advisor().invoke(sqs(Alarm(orders.name).eventbridge(), {"neither": "fish nor fowl"}, Alarm(orders.name, state="OK").eventbridge()))
    assert failed_messages(answer) == ["message-1"]
    assert len(topics.reports()) == 1


def test_a_message_that_is_not_json_fails_alone(orders, advisor):
    assert failed_messages(advisor().invoke(sqs("not json", Alarm(orders.name).message()))) == ["message-0"]


def test_the_report_is_also_one_line_of_the_log(orders, advise, advisor):
    report = advise(Alarm(orders.name).eventbridge())
    lines = [json.loads(line) for line in advisor().log().splitlines() if line.startswith("{")]
    assert any(line.get("id") == report["id"] or report["id"] in json.dumps(line) for line in lines)
