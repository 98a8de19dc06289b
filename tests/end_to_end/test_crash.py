"""The function dies, at every point where it can hurt, and the queue delivers the event again.

What the world looks like after a death depends only on the calls that were executed. Dying before call n is dying after
call n - 1, so cutting after each call covers both. Reads before the first write are one case.
"""

from datetime import timedelta

import pytest
from local_aws.alarm import sqs

HIDDEN = timedelta(minutes=6)  # a message that was not answered comes again after so long
READS = ("Describe", "List", "Get")


def boundaries(calls):
    """Where to cut a run that makes these calls: before anything, and after each call from the last before the first write."""
    first = next(i for i, call in enumerate(calls, start=1) if not call.operation.startswith(READS))
    return [(1, False), *((at, True) for at in range(max(1, first - 1), len(calls) + 1))]


@pytest.fixture
def play(incident, topics, schedules, emulators):
    """A story that can be played again and again from its alarm; instances come, and do not help."""
    story = incident(mode="apply")
    clock, began = story.timeline.clock, story.timeline.clock.now()

    class Play:
        endpoint, function = story.endpoint, story.function
        alarm_event = None

        def rewind(self):
            """The moment before the alarm, with nothing there."""
            emulators.gateway.reset()
            topics.envelopes("report"), topics.envelopes("chat")
            schedules.forget()
            self.endpoint.forget_scaling()
            self.endpoint.set_instances(self.endpoint.history.instances)
            clock.set(began)
            self.alarm_event = sqs(story.event())

        def written_for(self):
            """Writes what CloudWatch shows until after the roll-back, once; says when the follow-up is due."""
            story.timeline.helped = False
            story.timeline.forward(minutes=6)
            story.timeline.scale(self.endpoint.target()["MinCapacity"])
            due = schedules.due(self.endpoint)
            story.timeline.until(due)
            story.timeline.forward(minutes=HIDDEN // timedelta(minutes=1) + 1)
            return due

        def to_follow_up(self, due):
            """The alarm was handled, and the follow-up is due: its event."""
            self.answered(self.alarm_event)
            self.endpoint.set_instances(story.timeline.instances)
            clock.set(due)
            topics.envelopes("report"), topics.envelopes("chat")
            emulators.gateway.calls.clear()
            return sqs(schedules.event(self.endpoint))

        def answered(self, event):
            assert self.function.invoke(event)["batchItemFailures"] == [], self.function.log()[-3000:]

        def calls_of(self, begin):
            """The calls of a run that nothing cuts, by the event that `begin` answers: of two, since a slow call is tried again, the fewer."""
            runs = []
            for _ in range(2):
                self.rewind()
                event = begin()
                emulators.gateway.calls.clear()
                self.answered(event)
                runs.append(list(emulators.gateway.calls))
            return min(runs, key=len)

        def cut(self, event, at, after):
            """The process dies; later the event comes again to another. Which call it was."""
            operation = self.function.invoke_cut(event, at, after)
            clock.forward(seconds=HIDDEN.total_seconds())
            emulators.gateway.calls.clear()
            self.answered(event)
            return f"{'after' if after else 'before'} call {at}, {operation}"

        def claim(self):
            """What the schedule says is being done and not yet told; None as well where the incident is closed."""
            return schedules.get(self.endpoint) and schedules.event(self.endpoint)["follow_up"]["claim"]

    return Play()


def what_stands(scaling):
    return scaling and (scaling["min"], scaling["max"], {name: policy["TargetValue"] for name, policy in scaling["policies"].items()})


def what_was_told(report):
    asked = report["plan"]["register_scalable_target"]
    policies = {policy["PolicyName"]: policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] for policy in report["plan"]["put_scaling_policies"]}
    return asked["MinCapacity"], asked["MaxCapacity"], policies


def test_an_alarm_is_handled_once_wherever_the_function_dies(play, topics):
    calls = play.calls_of(lambda: play.alarm_event)
    assert [call.operation for call in calls].count("CreateSchedule") == 1
    wrong = []
    for at, after in boundaries(calls):
        play.rewind()
        where = play.cut(play.alarm_event, at, after)
        reports = topics.reports()
        statuses = [report["outcome"]["status"] for report in reports]
        if statuses not in (["applied"], ["applied"] * 2):
            wrong.append(f"{where}: people were told {statuses}")
        elif what_stands(play.endpoint.scaling()) != what_was_told(reports[-1]):
            wrong.append(f"{where}: {play.endpoint.scaling()} stands")
        elif play.endpoint.target_tags().get("endpoint-advisor:before") != "absent":
            wrong.append(f"{where}: the target is tagged {play.endpoint.target_tags()}")
        elif play.claim() is not None:
            wrong.append(f"{where}: the incident is left unfinished")
    assert wrong == []


def test_a_roll_back_is_finished_wherever_the_function_dies(play, topics):
    play.rewind()
    play.answered(play.alarm_event)
    due = play.written_for()
    calls = play.calls_of(lambda: play.to_follow_up(due))
    assert topics.statuses() == ["rolled_back"]
    wrong = []
    for at, after in boundaries(calls):
        play.rewind()
        where = play.cut(play.to_follow_up(due), at, after)
        statuses = topics.statuses()
        if statuses not in (["rolled_back"], ["rolled_back"] * 2):
            wrong.append(f"{where}: people were told {statuses}")
        elif play.endpoint.scaling() is not None or play.endpoint.policies():
            wrong.append(f"{where}: {play.endpoint.scaling()} is left")
        elif play.claim() is not None:
            wrong.append(f"{where}: the incident is left unfinished")
    assert wrong == []
