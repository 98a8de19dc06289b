"""One endpoint's incident as a function sees it: its alarm, its follow-ups, and the clock in between."""

from collections.abc import Callable

from .alarm import Alarm
from .endpoint import Endpoint
from .runtime_api import Function
from .schedules import Schedules
from .timeline import Timeline


class Incident:
    """`another_function` starts one more execution environment of the same function, under the same clock."""

    def __init__(self, timeline: Timeline, another_function: Callable[[], Function], schedules: Schedules):
        self.timeline, self.another_function, self.schedules = timeline, another_function, schedules
        self.function = another_function()
        Alarm(self.endpoint.name).put(timeline.cloudwatch)

    @property
    def endpoint(self) -> Endpoint:
        return self.timeline.endpoint

    def event(self, state: str = "ALARM") -> dict:
        """The alarm enters the state, now; the event that tells of it."""
        alarm = Alarm(self.endpoint.name, state=state, now=self.timeline.clock.now())
        alarm.enter(self.timeline.cloudwatch)
        return alarm.eventbridge()

    def alarm(self) -> list[dict]:
        """The alarm fires: the function's reports."""
        return self.function.invoke(self.event())["reports"]

    def ok(self) -> list[dict]:
        """The alarm goes back to OK."""
        return self.function.invoke(self.event("OK"))["reports"]

    def is_open(self) -> bool:
        return self.schedules.get(self.endpoint) is not None

    def follow_up(self) -> list[dict]:
        """Lets time pass until the schedule is due, and delivers what it holds: the function's reports."""
        self.timeline.until(self.schedules.due(self.endpoint))
        return self.function.invoke(self.schedules.event(self.endpoint))["reports"]
