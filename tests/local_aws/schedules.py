"""The schedules in which the advisor remembers open incidents: one for each endpoint, named after it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from .emulators import ACCOUNT, REGION, Emulators
from .endpoint import Endpoint

_NOBODYS_QUEUE = "follow-ups-that-nobody-reads"


@dataclass
class Schedules:
    """The schedules of a group that exists already, as a deployed stack's does."""

    emulators: Emulators
    group: str

    @classmethod
    def create(cls, emulators: Emulators, group: str = "incidents") -> "Schedules":
        """A new group. Its schedules lead to a queue that nobody reads: the emulator's Scheduler lives in the present, so
        what is due on a test's clock would come at once. Tests deliver by hand (`event`)."""
        emulators.client("scheduler").create_schedule_group(Name=group)
        emulators.client("sqs").create_queue(QueueName=_NOBODYS_QUEUE)
        return cls(emulators, group)

    @property
    def settings(self) -> dict[str, str]:
        """Settings of a function that keeps its incidents here."""
        return {"ADVISOR_FOLLOW_UP_GROUP": self.group, "ADVISOR_FOLLOW_UP_TARGET_ARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{_NOBODYS_QUEUE}",
                "ADVISOR_FOLLOW_UP_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/follow-up"}

    def get(self, endpoint: Endpoint) -> dict | None:
        """The schedule of the endpoint's open incident, as GetSchedule tells it."""
        scheduler = self._scheduler
        try:
            return scheduler.get_schedule(GroupName=self.group, Name=name(endpoint))
        except scheduler.exceptions.ResourceNotFoundException:
            return None

    def due(self, endpoint: Endpoint) -> datetime:
        """When the advisor wants to look again."""
        expression = self.get(endpoint)["ScheduleExpression"]
        return datetime.fromisoformat(expression.removeprefix("at(").removesuffix(")")).replace(tzinfo=timezone.utc)

    def event(self, endpoint: Endpoint) -> dict:
        """What the schedule delivers: its input, as it is."""
        return json.loads(self.get(endpoint)["Target"]["Input"])

    def move(self, endpoint: Endpoint, at: datetime) -> None:
        """The same schedule at another time."""
        schedule = self.get(endpoint)
        kept = {key: schedule[key] for key in ("Name", "GroupName", "Target", "FlexibleTimeWindow", "ActionAfterCompletion")}
        self._scheduler.update_schedule(**kept, ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})")

    def keep(self) -> Callable[[], None]:
        """Remembers all of them; what is answered puts them back."""
        kept = ("Name", "GroupName", "Target", "FlexibleTimeWindow", "ActionAfterCompletion", "ScheduleExpression", "State")
        schedules = [self._scheduler.get_schedule(GroupName=self.group, Name=name) for name in self.names()]
        schedules = [{key: schedule[key] for key in kept if key in schedule} for schedule in schedules]

        def put_back() -> None:
            self.forget()
            for schedule in schedules:
                self._scheduler.create_schedule(**schedule)

        return put_back

    def inputs(self) -> dict[str, dict]:
        """What each of them delivers, by its name."""
        return {name: json.loads(self._scheduler.get_schedule(GroupName=self.group, Name=name)["Target"]["Input"]) for name in self.names()}

    def names(self) -> list[str]:
        pages = self._scheduler.get_paginator("list_schedules").paginate(GroupName=self.group)
        return [schedule["Name"] for page in pages for schedule in page["Schedules"]]

    def forget(self) -> None:
        for schedule in self.names():
            self._scheduler.delete_schedule(GroupName=self.group, Name=schedule)

    @property
    def _scheduler(self):
        return self.emulators.client("scheduler")


def name(endpoint: Endpoint) -> str:
    """What the advisor calls the schedule of this endpoint."""
    return "ea-" + hashlib.sha256(f"{REGION}/{endpoint.name}/{endpoint.variant}".encode()).hexdigest()[:32]
