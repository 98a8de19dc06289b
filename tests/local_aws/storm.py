"""A storm of alarms through a real queue into several processes of the function; and `make bench-storm`.

What Lambda does between the queue and the function is done here: a few pollers at once, each with a process of its own, take
batches, hand them over, and delete what was not answered as failed. The rest comes again when its time is up, and what came too
often is moved to the dead-letter queue by the queue itself.

One endpoint has a simulated past; to CloudWatch the others of the storm are that one. (The emulator could hold the metrics of all,
and would walk through them at each call.)
"""

import argparse
import contextlib
import json
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from . import terminal
from .alarm import Alarm
from .emulators import ACCOUNT, REGION, Emulators
from .endpoint import Endpoint
from .fleet import create
from .runtime_api import Function, FunctionError
from .schedules import Schedules
from .stack import Subscriber

_DAYS = 1
_DUPLICATES, _GARBAGE, _OK = 0.30, 0.05, 0.05
# What no alarm is: not JSON, JSON of nobody's, an event cut short, one of another account, a name that SageMaker does not allow.
_RUBBISH = ["neither fish nor fowl", "[]", '{"fish": "fowl"}', '{"Records": []}', '{"advise": {"endpoint_name": "a b"}}', '{"alarmData": {}}']


@dataclass
class Outcome:
    """What became of a storm."""

    sent: int
    garbage: int
    alarmed: set[str]  # endpoints of which at least one alarm was sent
    seconds: float
    deliveries: int  # messages handed to the function, with those that came again
    told: Counter  # reports that people received, by endpoint
    put: Counter  # PutScalingPolicy calls, by endpoint
    policies: dict[str, list[str]]  # policies that stand in the end, by endpoint
    incidents: int  # schedules that are open; the emulator lists a hundred at most
    dead: list[str]
    left: int  # messages still in the queue
    peak_mb: list[float]
    calls: int
    logs: list[str] = field(default_factory=list)

    @property
    def lost(self) -> list[str]:
        """Endpoints whose alarm led to no report."""
        return sorted(name for name in self.alarmed if not self.told[name])

    @property
    def doubled(self) -> list[str]:
        """Endpoints that were written more than once."""
        return sorted(name for name, count in self.put.items() if count > 1)

    @property
    def without_effect(self) -> list[str]:
        return sorted(name for name in self.alarmed if len(self.policies.get(name, [])) != 1)

    def words(self) -> list[str]:
        minutes = self.seconds / 60
        return [f"{self.sent:,} messages in {minutes:.1f} minutes, {self.sent / minutes:.0f} a minute; {self.deliveries:,} deliveries, {self.calls:,} calls to AWS",
                f"{len(self.alarmed):,} endpoints: {len(self.lost)} without a report, {len(self.doubled)} written twice, {len(self.without_effect)} without their policy",
                f"{self.garbage:,} messages of garbage: {len(self.dead):,} among the dead letters; {self.left} left in the queue",
                f"at most {max(self.peak_mb):.0f} MB in each of {len(self.peak_mb)} processes"]

    @property
    def is_as_promised(self) -> bool:
        return not (self.lost or self.doubled or self.without_effect or self.left) and len(self.dead) == self.garbage


class Storm:
    """Endpoints, all overloaded alike, and the queue of their alarms."""

    def __init__(self, emulators: Emulators, count: int, prefix: str = "storm", visible_after: int = 120, receives: int = 3, batch: int = 10):
        self._emulators, self._prefix, self._sqs = emulators, prefix, emulators.client("sqs")
        self._random = random.Random(10)  # the same storm each time
        self._batch, self.garbage = batch, round(_GARBAGE * count)
        duplicates, oks = round(_DUPLICATES * count), round(_OK * count)
        alarms = count - self.garbage - duplicates - oks
        self.names = [f"{prefix}-{index:04}" for index in range(alarms)]
        self._base = Endpoint.simulate(emulators, self.names[0], "overload", _DAYS, metrics=prefix)
        self._base.history.write()
        create(emulators, prefix, self.names[1:], self._base.history.instances)
        # A storm takes longer than an event is believed without asking: the alarm is on to the end.
        alarm, cloudwatch = Alarm(self.names[0]), emulators.client("cloudwatch", region=prefix)
        alarm.put(cloudwatch)
        alarm.enter(cloudwatch)
        self.messages = self._made(duplicates, oks)
        self._dead = self._sqs.create_queue(QueueName=f"{prefix}-dead")["QueueUrl"]
        redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{prefix}-dead", "maxReceiveCount": receives}
        self._queue = self._sqs.create_queue(QueueName=f"{prefix}-events", Attributes={
            "VisibilityTimeout": str(visible_after), "RedrivePolicy": json.dumps(redrive)})["QueueUrl"]
        topic = emulators.client("sns").create_topic(Name=f"{prefix}-reports")["TopicArn"]
        self._people = Subscriber(emulators, topic, f"{prefix}-people")
        self._schedules = Schedules.create(emulators, f"{prefix}-incidents")
        self._settings = self._schedules.settings | {
            "ADVISOR_MODE": "apply", "ADVISOR_HISTORY_DAYS": str(_DAYS), "ADVISOR_REPORT_TOPIC_ARN": topic}

    def _made(self, duplicates: int, oks: int) -> list[str]:
        """In no order: an OK may come before its alarm, a duplicate while the first is being answered."""
        alarms = [json.dumps(Alarm(name).eventbridge()) for name in self.names]
        messages = alarms + self._random.choices(alarms, k=duplicates)
        messages += [json.dumps(Alarm(name, state="OK", age=-timedelta(minutes=1)).eventbridge()) for name in self._random.sample(self.names, oks)]
        cut = [json.dumps(Alarm(name).eventbridge())[:-200] for name in self._random.sample(self.names, min(len(self.names), 3))]
        elsewhere = [json.dumps(Alarm(self.names[0]).eventbridge()).replace(ACCOUNT, "444455556666")]
        messages += [self._random.choice([*_RUBBISH, *cut, *elsewhere]) for _ in range(self.garbage)]
        self._random.shuffle(messages)
        return messages

    def blow(self, pollers: int = 3, patience: float = 3600) -> Outcome:
        """Sends everything at once, and waits until the queue is empty."""
        gateway = self._emulators.gateway
        gateway.reset()
        gateway.twins = (self._prefix.encode(), self._base.name.encode())
        for first in range(0, len(self.messages), 10):
            entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(self.messages[first : first + 10])]
            self._sqs.send_message_batch(QueueUrl=self._queue, Entries=entries)
        began, over, deliveries = time.monotonic(), threading.Event(), Counter()
        functions = [Function(self._emulators, self._settings, metrics=self._prefix) for _ in range(pollers)]
        peaks, threads = [], []
        try:
            for function in functions:
                function.__enter__()
                threads.append(threading.Thread(target=self._poll, args=(function, over, deliveries), daemon=True))
                threads[-1].start()
            while self._waiting() and time.monotonic() - began < patience:
                self._base.history.up_to_now()
                time.sleep(1)
            seconds = time.monotonic() - began
            over.set()
            for thread in threads:
                thread.join()
            peaks = [function.peak_memory_mb() for function in functions]
        finally:
            over.set()
            for function in functions:
                function.__exit__()
            gateway.twins = None
        told = Counter(json.loads(envelope["Message"])["endpoint_name"] for envelope in self._people.drain())
        put = Counter(call.body["ResourceId"].split("/")[1] for call in gateway.calls if call.operation == "PutScalingPolicy")
        policies = {name: [policy["PolicyName"] for policy in Endpoint(self._emulators, name).policies()] for name in self.names}
        return Outcome(len(self.messages), self.garbage, set(self.names), seconds, deliveries["messages"], told, put, policies,
                       len(self._schedules.names()), self._dead_letters(), self._waiting(), peaks, len(gateway.calls))

    def _poll(self, function: Function, over: threading.Event, deliveries: Counter) -> None:
        sqs = self._emulators.client("sqs")
        while not over.is_set():
            received = sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=self._batch, WaitTimeSeconds=0).get("Messages", [])
            if not received:
                time.sleep(0.5)
                continue
            deliveries["messages"] += len(received)
            records = [{"messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"], "attributes": {},
                        "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": REGION,
                        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self._prefix}-events"} for message in received]
            try:
                answer = function.invoke({"Records": records})
            except FunctionError:
                continue  # Lambda deletes nothing of a batch that failed as a whole
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            for message in received:
                if message["MessageId"] not in failed:
                    # Who was slow holds an old handle, and the message comes again: one more duplicate.
                    with contextlib.suppress(sqs.exceptions.ReceiptHandleIsInvalid):
                        sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def _waiting(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=names)["Attributes"]
        return sum(int(counts[name]) for name in names)

    def _dead_letters(self) -> list[str]:
        bodies: list[str] = []
        while received := self._sqs.receive_message(QueueUrl=self._dead, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages", []):
            bodies += [message["Body"] for message in received]
        return bodies


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=1000)
    options.add_argument("--pollers", type=int, default=3)
    chosen = options.parse_args()
    with Emulators() as emulators:
        with terminal.progress(f"the endpoints of {chosen.messages:,} messages in moto"):
            storm = Storm(emulators, chosen.messages)
        with terminal.progress("the storm"):
            outcome = storm.blow(chosen.pollers)
    for line in outcome.words():
        terminal.line(line)
    terminal.verdict(outcome.is_as_promised, "nothing lost, nothing written twice, only garbage among the dead letters")
    return 0 if outcome.is_as_promised else 1


if __name__ == "__main__":
    sys.exit(main())
