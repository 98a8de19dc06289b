"""Moments in the life of the function that can be played again and again, one event each: what comes of it is told by whoever plays.

What CloudWatch shows goes on for a while after each moment, so that the event can come a second time, when the queue would bring it again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from . import queue as asynchronous
from .alarm import Alarm, sqs
from .clock import Clock
from .components import Component
from .emulators import REGION, Emulators
from .endpoint import Endpoint
from .incident import Incident
from .runtime_api import Function
from .schedules import Schedules
from .timeline import Timeline
from .topics import Topics

HIDDEN = timedelta(minutes=6)  # a message that was not answered comes again after so long
TIMEOUT_SECONDS = 30  # the least that the template allows
UNHURRIED = 120  # where the emulator is asked for metrics for the first time, which takes it seconds
_DAYS = 1
_FLEET = 27  # more than fit into one batch
_QUEUE = "events-of-the-matrix"


class Stage:
    """Emulators, topics and schedules of one scene."""

    def __init__(self, emulators: Emulators, group: str = "incidents"):
        self.emulators, self.gateway = emulators, emulators.gateway
        self.topics, self.schedules = Topics(emulators), Schedules.create(emulators, group)
        self.settings = self.topics.settings | self.schedules.settings | {"ADVISOR_HISTORY_DAYS": str(_DAYS)}

    def function(self, settings: dict[str, str], clock: Clock | None, metrics: str | None, timeout: int = UNHURRIED) -> Function:
        return Function(self.emulators, self.settings | settings, clock, metrics, timeout)


@dataclass
class Scene:
    stage: Stage
    event: dict
    clock: Clock
    settings: dict[str, str]
    endpoint: Endpoint | None = None
    metrics: str | None = None
    alarm: Alarm | None = None  # as it stands at the moment
    later: str = ""  # what may be told as well where the event comes again, and then nothing is written
    timeout: int = TIMEOUT_SECONDS
    _put_back: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The world as it is now is the moment that is played again."""
        gateway, now, activities = self.stage.gateway, self.clock.now(), list(self.stage.gateway.auto_scaling.activities)
        statuses = dict(gateway.endpoint_status)
        self._put_back = [self.stage.schedules.keep(), lambda: self.clock.set(now), lambda: gateway.endpoint_status.update(statuses),
                          lambda: setattr(gateway.auto_scaling, "activities", list(activities))]
        if self.endpoint:
            self._put_back.append(self.endpoint.keep_scaling())
        if self.alarm:
            cloudwatch = self.stage.emulators.client("cloudwatch", self.metrics or REGION)
            self._put_back.append(lambda: self.alarm.enter(cloudwatch))
        gateway.remembers_metrics = True

    def rewind(self) -> None:
        gateway = self.stage.gateway
        gateway.disturbance = None
        gateway.endpoint_status.clear()
        gateway.now = self.clock.now
        for put_back in self._put_back:
            put_back()
        self.stage.topics.envelopes("report"), self.stage.topics.envelopes("chat")
        gateway.calls.clear()

    def function(self, timeout: int | None = None) -> Function:
        return self.stage.function(self.settings, self.clock, self.metrics, timeout or self.timeout)


APPLY = {"ADVISOR_MODE": "apply"}
RAISE = APPLY | {"ADVISOR_EXISTING_TARGETS": "raise", "ADVISOR_MAX_HOURLY_USD": "50"}


class _Story:
    """An incident that is played up to the moment of a scene."""

    def __init__(self, stage: Stage, name: str, settings: dict[str, str], trouble: str = "overload"):
        self.stage, self.settings = stage, settings
        self.timeline = Timeline.begin(stage.emulators, name, trouble, _DAYS)
        self.endpoint, self.clock = self.timeline.endpoint, self.timeline.clock
        self.function = stage.function(settings, self.clock, name)
        self.incident: Incident | None = None

    def __enter__(self) -> "_Story":
        self.function.__enter__()
        self.incident = Incident(self.timeline, lambda: self.function, self.stage.schedules)
        return self

    def __exit__(self, *error) -> None:
        self.function.__exit__()

    def now(self, event: dict, state: str = "ALARM") -> Scene:
        """The scene of this event; what CloudWatch shows afterwards is written."""
        alarm = Alarm(self.endpoint.name, state=state, now=self.clock.now())
        scene = Scene(self.stage, sqs(event), self.clock, self.settings, self.endpoint, self.endpoint.name, alarm)
        self.timeline.forward(minutes=HIDDEN // timedelta(minutes=1) + 1)
        return scene

    def applied(self) -> None:
        [report] = self.incident.alarm()
        assert report["outcome"]["status"] == "applied", report["outcome"]

    def to_follow_up(self) -> dict:
        """The instances came, and the follow-up is due: its event."""
        instances = self.endpoint.target()["MinCapacity"]
        self.timeline.scale(instances, "InProgress")
        self.timeline.forward(minutes=6)
        self.timeline.scale(instances)
        self.timeline.until(self.stage.schedules.due(self.endpoint))
        return self.stage.schedules.event(self.endpoint)


def _alarm(stage: Stage) -> Scene:
    with _Story(stage, "alarm", {}) as story:
        # Instances publish for themselves, so that they are listed.
        stage.gateway.described["DescribeEndpoint", "alarm"] = {"MetricsConfig": {"EnableEnhancedMetrics": True}}
        return story.now(story.incident.event())


def _first_policy(stage: Stage) -> Scene:
    with _Story(stage, "first-policy", APPLY) as story:
        return story.now(story.incident.event())


def _raise(stage: Stage) -> Scene:
    with _Story(stage, "raise", RAISE) as story:
        story.endpoint.register_target(1, 6)
        return story.now(story.incident.event())


def _approval(stage: Stage) -> Scene:
    """Requests come by the clock, so that the plan has a schedule; it is dear, so a person decides."""
    with _Story(stage, "approval", APPLY, "hourly-herd") as story:
        [report] = story.incident.alarm()
        approved = {"endpoint_name": story.endpoint.name, "variant_name": story.endpoint.variant, "plan_digest": report["plan"]["digest"]}
        scene = story.now({"apply": approved})
        scene.later = "stale"  # by then another plan would be right
        return scene


def _verify(stage: Stage) -> Scene:
    with _Story(stage, "verify", APPLY) as story:
        story.applied()
        return story.now(story.to_follow_up())


def _roll_back(stage: Stage) -> Scene:
    with _Story(stage, "roll-back", APPLY) as story:
        story.timeline.helped = False
        story.applied()
        return story.now(story.to_follow_up())


def _give_back(stage: Stage) -> Scene:
    with _Story(stage, "give-back", RAISE) as story:
        story.timeline.helped = False
        story.endpoint.register_target(1, 6)
        story.applied()
        return story.now(story.to_follow_up())


def _to_ok(story: _Story) -> dict:
    story.applied()
    story.function.invoke(story.to_follow_up())
    story.timeline.traffic = "normal"
    story.timeline.forward(minutes=10)
    return story.incident.event("OK")


def _ok(stage: Stage) -> Scene:
    with _Story(stage, "ok", APPLY) as story:
        return story.now(_to_ok(story), "OK")


def _relax(stage: Stage) -> Scene:
    with _Story(stage, "relax", APPLY) as story:
        story.function.invoke(_to_ok(story))
        for _ in range(6):
            story.timeline.until(stage.schedules.due(story.endpoint))
            scene = Scene(stage, sqs(event := stage.schedules.event(story.endpoint)), story.clock, APPLY, story.endpoint, story.endpoint.name,
                          Alarm(story.endpoint.name, state="OK", now=story.clock.now()))
            if any(report["outcome"]["status"] == "relaxed" for report in story.function.invoke(event)["reports"]):
                scene.rewind()
                return story.now(event, "OK")
        raise AssertionError("nothing was relaxed")


def _component(stage: Stage) -> Scene:
    emulators = stage.emulators
    ranker = Endpoint.of_component(emulators, Component("ranker", "on-ranker", current=2))
    ranker.simulate_component("overload", days=_DAYS)
    ranker.history.write()
    clock = Clock(emulators.folder / "ranker.clock", datetime.now(timezone.utc) - HIDDEN)
    alarm = Alarm(ranker.name, component="ranker", now=clock.now())
    alarm.put(emulators.client("cloudwatch"))
    return Scene(stage, sqs(alarm.eventbridge()), clock, APPLY, ranker, alarm=alarm)


def _backlog(stage: Stage) -> Scene:
    """An asynchronous endpoint at zero, by hand: its policy is fired by an alarm of ours."""
    stopped = asynchronous.begin(stage.emulators, "transcribe", "no-capacity", 2)
    stopped.history.write()
    stopped.register_target(0, 4)
    clock = Clock(stage.emulators.folder / "transcribe.clock", datetime.now(timezone.utc) - HIDDEN)
    event = {"advise": {"endpoint_name": stopped.name, "variant_name": stopped.variant}}
    return Scene(stage, sqs(event), clock, RAISE, stopped)


def _audit(stage: Stage) -> Scene:
    """Two endpoints, looked at in one go."""
    with _Story(stage, "audited", {}) as story:
        Endpoint.create(stage.emulators, "beside", instances=2)
        scene = story.now({"audit": {}})
        scene.endpoint = None
        scene.timeout = 60  # as the template has it: with less, no endpoint is looked at closely
        return scene


def _fleet(stage: Stage) -> tuple[Clock, dict[str, str]]:
    for number in range(_FLEET):
        Endpoint.create(stage.emulators, f"endpoint-{number:02}")
    url = stage.emulators.client("sqs").create_queue(QueueName=_QUEUE)["QueueUrl"]
    return Clock(stage.emulators.folder / "fleet.clock", datetime.now(timezone.utc)), {"ADVISOR_QUEUE_URL": url}


def _audit_of_many(stage: Stage) -> Scene:
    """More endpoints than one invocation looks at: they are passed on in parts."""
    clock, settings = _fleet(stage)
    return Scene(stage, sqs({"audit": {}}), clock, settings)


def _parts(stage: Stage, clock: Clock, settings: dict[str, str]) -> list[dict]:
    """What was passed on."""
    with stage.function(settings, clock, None) as function:
        function.invoke({"audit": {}})
    sent = [call.body for call in stage.gateway.calls if call.operation == "SendMessageBatch"]
    return [entry["MessageBody"] for body in sent for entry in body["Entries"]]


def _audit_part(stage: Stage) -> Scene:
    clock, settings = _fleet(stage)
    *_, small = _parts(stage, clock, settings)
    return Scene(stage, sqs(small), clock, settings)


def _audit_summary(stage: Stage) -> Scene:
    clock, settings = _fleet(stage)
    parts = _parts(stage, clock, settings)
    with stage.function(settings, clock, None) as function:
        assert function.invoke(sqs(*parts))["batchItemFailures"] == []
    clock.forward(minutes=5)
    return Scene(stage, sqs(stage.schedules.inputs()["ea-audit"]), clock, settings)


SCENES: dict[str, Callable[[Stage], Scene]] = {
    "alarm": _alarm, "first policy": _first_policy, "raise": _raise, "approval": _approval, "verify": _verify, "roll back": _roll_back, "give back": _give_back,
    "ok": _ok, "relax": _relax, "component": _component, "backlog": _backlog, "audit": _audit, "audit of many": _audit_of_many,
    "audit part": _audit_part, "audit summary": _audit_summary}

# What the sources call and no scene does, each with the reason.
NOT_PLAYED = {
    "DeleteAlarms": "a step policy is taken back by `undo`; tests/it/wire/steps.rs",
    "DeleteScheduledAction": "a schedule is taken back by `undo`, or after a herd was judged; tests/it/undo.rs",
}
