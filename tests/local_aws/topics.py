"""The two topics of a deployment, each with a queue subscribed."""

import json

from .emulators import ACCOUNT, REGION, Emulators
from .stack import Subscriber


class Topics:
    def __init__(self, emulators: Emulators):
        self._subscribers = {name: self._subscribe(emulators, name) for name in ("report", "chat")}
        self.settings = {f"ADVISOR_{name.upper()}_TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}" for name in ("report", "chat")}

    @staticmethod
    def _subscribe(emulators: Emulators, name: str) -> Subscriber:
        arn = emulators.client("sns").create_topic(Name=name)["TopicArn"]
        return Subscriber(emulators, arn, f"{name}-subscriber")

    def envelopes(self, name: str = "report") -> list[dict]:
        """SNS envelopes that arrived since the last look."""
        return self._subscribers[name].drain()

    def reports(self) -> list[dict]:
        return [json.loads(envelope["Message"]) for envelope in self.envelopes()]

    def statuses(self) -> list[str]:
        """What people were told since the last look: the status of each message."""
        return [report["outcome"]["status"] for report in self.reports()]

    def cards(self) -> list[dict]:
        return [json.loads(envelope["Message"]) for envelope in self.envelopes("chat")]
