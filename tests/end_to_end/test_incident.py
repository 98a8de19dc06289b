"""One incident from its alarm until it is over: two hours on a clock that the test moves. Then its dark twins."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from local_aws.alarm import sqs
from local_aws.gateway import denied

APPLY = ["RegisterScalableTarget", "PutScalingPolicy", "RegisterScalableTarget"]  # a target, its policy, and only then instances


def applied(story):
    """The alarm has fired and the plan stands; how many instances it asks for."""
    [report] = story.alarm()
    assert report["outcome"]["status"] == "applied", report["outcome"]
    return story.endpoint.target()["MinCapacity"]


def started(story, instances):
    """The instances came, and took the time that instances take."""
    story.timeline.scale(instances, "InProgress")
    story.timeline.forward(minutes=6)
    story.timeline.scale(instances)


def overcome(story):
    """The instances came and helped, the load went back, and the alarm is OK."""
    started(story, applied(story))
    until_news(story)
    story.timeline.traffic = "normal"
    story.timeline.forward(minutes=5)
    story.ok()


def until_news(story, looks=6):
    """Follow-ups, until one has something to say: its report."""
    for _ in range(looks):
        if reports := story.follow_up():
            return reports[-1]
    raise AssertionError(f"{looks} follow-ups had nothing to say")


def written(emulators):
    return [call.operation for call in emulators.gateway.writes()]


def test_an_incident_of_two_hours(incident, topics, emulators):
    story = incident(mode="apply")
    running = story.endpoint.instances()

    asked = applied(story)
    assert asked > running
    maximum = story.endpoint.target()["MaxCapacity"]
    assert topics.statuses() == ["applied"]
    assert written(emulators) == APPLY

    # The alarm is not news a second time.
    story.timeline.scale(asked, "InProgress")
    story.timeline.forward(minutes=3)
    assert story.alarm() == []

    story.timeline.forward(minutes=3)
    story.timeline.scale(asked)
    assert until_news(story)["outcome"]["status"] == "verified"
    assert topics.statuses() == ["verified"]

    story.timeline.forward(minutes=5)
    story.timeline.traffic = "normal"
    story.timeline.forward(minutes=5)
    story.ok()
    assert topics.statuses() == ["verified"]
    assert story.is_open()  # for what was raised has to go back

    assert until_news(story)["outcome"]["status"] == "relaxed"
    assert topics.statuses() == ["relaxed"]
    assert not story.is_open()

    assert written(emulators) == [*APPLY, "RegisterScalableTarget"]
    target = story.endpoint.target()
    assert target["MinCapacity"] == running
    assert target["MaxCapacity"] == maximum
    [policy] = story.endpoint.policies()
    assert policy["PolicyName"].startswith("endpoint-advisor-")


def test_all_of_it_is_one_thread(incident, topics):
    story = incident(mode="apply")
    overcome(story)
    cards, reports = topics.cards(), topics.reports()
    assert [report["outcome"]["status"] for report in reports] == ["applied", "verified", "verified"]
    assert len(cards) == len(reports)
    assert {card["metadata"]["threadId"] for card in cards} == {reports[0]["id"]}


def test_in_recommend_mode_an_incident_is_followed_and_nothing_is_written(incident, topics, emulators):
    story = incident(mode="recommend")
    [report] = story.alarm()
    assert report["outcome"]["status"] == "recommended"
    assert story.is_open()
    story.timeline.forward(minutes=5)
    assert story.alarm() == []
    story.timeline.traffic = "normal"
    story.timeline.forward(minutes=10)
    story.ok()
    assert len(topics.statuses()) == 2  # it began, and it is over
    assert written(emulators) == []


def test_an_alarm_that_comes_back_soon_is_the_same_incident(incident, topics):
    story = incident(mode="apply")
    overcome(story)
    topics.reports()
    story.timeline.traffic = "high"
    story.timeline.forward(minutes=5)
    story.alarm()
    assert "applied" not in topics.statuses()
    assert story.is_open()


# Dark twins.


def test_instances_that_the_quota_does_not_allow_are_reported_and_what_was_written_stays(incident, topics, emulators):
    story = incident(mode="apply")
    asked = applied(story)
    stands = story.endpoint.scaling()
    story.timeline.scale(asked, "Failed")
    report = until_news(story)
    assert report["outcome"]["status"] == "failed"
    assert report["diagnosis"]["blocked_by"] == "quota"
    assert any("quota" in step.lower() for step in report["next_steps"])
    assert topics.statuses() == ["applied", "failed"]
    # It is said once.
    story.follow_up()
    assert topics.statuses() == []
    assert story.endpoint.scaling() == stands
    assert written(emulators) == APPLY


def unhelped(story):
    """The instances are there, load per instance fell, and it is as slow as before."""
    story.timeline.helped = False
    started(story, applied(story))


def test_what_does_not_help_is_taken_back_to_nothing_where_nothing_was(incident, topics):
    story = incident(mode="apply")
    unhelped(story)
    report = until_news(story)
    assert report["outcome"]["status"] == "rolled_back"
    assert report["diagnosis"]["verdict"] != "overload"
    assert topics.statuses() == ["applied", "rolled_back"]
    assert story.endpoint.scaling() is None
    assert story.endpoint.policies() == []
    # Instances are not taken away during an incident: that is a person's to do, who is told how.
    assert story.endpoint.instances() == story.timeline.instances
    assert any("update-endpoint-weights-and-capacities" in step for step in report["next_steps"])


def test_what_does_not_help_is_taken_back_to_the_range_of_somebody_else(incident, topics):
    story = incident(mode="apply", existing_targets="raise")
    story.endpoint.register_target(1, 6)
    before = story.endpoint.scaling()
    unhelped(story)
    assert story.endpoint.scaling() != before
    assert until_news(story)["outcome"]["status"] == "rolled_back"
    assert topics.statuses() == ["applied", "rolled_back"]
    assert story.endpoint.scaling() == before


def test_what_was_taken_back_is_not_written_again_for_the_same_incident(incident, topics, emulators):
    story = incident(mode="apply")
    unhelped(story)
    until_news(story)
    topics.reports()
    emulators.gateway.calls.clear()
    story.timeline.forward(minutes=5)
    story.alarm()
    assert "applied" not in topics.statuses()
    assert written(emulators) == []


def test_what_somebody_else_changed_meanwhile_is_left_alone(incident, topics, emulators):
    story = incident(mode="apply")
    asked = applied(story)
    story.endpoint.register_target(asked + 1, asked + 4)
    theirs = story.endpoint.scaling()
    started(story, asked + 1)
    assert until_news(story)["outcome"]["status"] == "stale"
    assert topics.statuses() == ["applied", "stale"]
    story.timeline.traffic = "normal"
    story.timeline.forward(minutes=5)
    story.ok()
    for _ in range(3):
        if story.is_open():
            story.follow_up()
    assert story.endpoint.scaling() == theirs
    assert written(emulators) == APPLY


def test_a_hundred_deliveries_of_an_alarm_are_one_incident(incident, topics, emulators):
    story = incident(mode="apply")
    event = story.event()
    for _ in range(10):
        answer = story.function.invoke(sqs(*[event] * 10))
        assert answer["batchItemFailures"] == []
    assert topics.statuses() == ["applied"]
    assert written(emulators) == APPLY


def test_so_are_a_hundred_at_the_same_time(incident, topics, emulators):
    story = incident(mode="apply")
    event = story.event()
    functions = [story.function, *(story.another_function() for _ in range(4))]  # as many as the queue runs at once

    def deliver(function):
        return [function.invoke(sqs(event))["batchItemFailures"] for _ in range(20)]

    with ThreadPoolExecutor(len(functions)) as pool:
        answers = [answer for answers in pool.map(deliver, functions) for answer in answers]
    assert answers == [[]] * 100
    assert topics.statuses() == ["applied"]
    assert written(emulators) == APPLY


@pytest.mark.parametrize("operation", ["GetSchedule", "CreateSchedule"])
def test_without_scheduler_nothing_is_written_and_people_are_told_why(operation, incident, topics, emulators):
    story = incident(mode="apply")
    emulators.gateway.faults = [denied(operation, f"scheduler:{operation}")]
    [report] = story.alarm()
    assert report["diagnosis"]["verdict"] == "overload"
    assert report["outcome"]["status"] == "refused"
    assert report["outcome"]["reason"] == "no_follow_up"
    assert topics.statuses() == ["refused"]
    assert written(emulators) == []


def test_a_follow_up_that_comes_twice_is_told_once(incident, topics):
    story = incident(mode="apply")
    started(story, applied(story))
    story.timeline.until(story.schedules.due(story.endpoint))
    event = sqs(story.schedules.event(story.endpoint))
    for _ in range(2):
        assert story.function.invoke(event)["batchItemFailures"] == []
    assert topics.statuses() == ["applied", "verified"]


def test_a_follow_up_of_an_incident_that_is_closed_is_acknowledged(incident, topics, schedules, emulators):
    story = incident(mode="apply")
    applied(story)
    event = sqs(story.schedules.event(story.endpoint))
    schedules.forget()
    topics.reports()
    emulators.gateway.calls.clear()
    assert story.function.invoke(event)["batchItemFailures"] == []
    assert topics.statuses() == []
    assert written(emulators) == []


def test_ok_without_an_incident_is_ignored(incident, topics):
    story = incident(mode="apply")
    answer = story.function.invoke(story.event("OK"))
    assert answer["reports"] == []
    assert answer["ignored"]
    assert topics.statuses() == []
