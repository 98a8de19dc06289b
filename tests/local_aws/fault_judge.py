"""What a fault may lead to, and what it may not.

A delivery with a fault is held against the same one without. Nothing may be written that would not be written without the fault, and what
is written leaves the record that undoes it. People hear what is missing, or the event fails, comes again, and then has its one effect.
"""

import json
import re
from dataclasses import dataclass, field

from .alarm import failed_messages, sqs
from .fault_scenes import HIDDEN, UNHURRIED, Scene
from .faults import Fault, action
from .runtime_api import Died, Function, FunctionError

AS_EVER, SAID, RETRIED, LATER, BROKEN = ".", "w", "r", "l", "X"
LEGEND = {AS_EVER: "as without the fault", SAID: "the report says what is missing", RETRIED: "fails and comes again; then one effect, and people are told",
          LATER: "looked at again by its schedule; then one effect", BROKEN: "broken promise"}


@dataclass
class Delivery:
    """What came of one delivery."""

    failed: bool
    calls: list
    told: list[dict]
    inputs: dict[str, dict]  # of the schedules that are there afterwards
    scaling: dict | None
    wrong: str = ""  # the process died, or answered too late

    @property
    def writes(self) -> list[str]:
        """What was executed that changes something of somebody's."""
        return [_told(call) for call in self.calls
                if call.is_write() and call.operation != "Publish" and call.service != "scheduler" and call.status == 200]

    @property
    def says(self) -> list:
        """What people heard, as far as it does not differ from time to time."""
        return [_essence(message) for message in self.told]

    @property
    def statuses(self) -> list[str]:
        return [message["outcome"]["status"] if "outcome" in message else "audit" for message in self.told]

    def open_incident(self) -> dict | None:
        found = [held["follow_up"] for held in self.inputs.values() if "follow_up" in held]
        return found[0] if found else None


def _summary(found):
    """A summary as it can be compared: without how many calls it took, retries included, and when."""
    if isinstance(found, list):
        return [_summary(one) for one in found]
    if isinstance(found, dict):
        return {name: _summary(value) for name, value in found.items() if name not in ("calls", "metrics", "at", "started_at", "id", "is_sent")}
    return found


def _plan(plan: dict) -> str:
    asked = [plan[name] for name in ("register_scalable_target", "put_scaling_policies", "put_scheduled_actions")]
    return json.dumps(asked, sort_keys=True)


def _told(call) -> str:
    """A write as it can be compared: without what an emulator makes up anew, and a part of an audit by its endpoints."""
    body = [_endpoints(entry) for entry in call.body["Entries"]] if call.operation == "SendMessageBatch" else call.body
    return re.sub(r"(scalable-target/|scalingPolicy:)[\w-]+", r"\1…", json.dumps([call.service, call.operation, body], sort_keys=True))


def _endpoints(entry: dict) -> list[str]:
    return json.loads(entry["MessageBody"])["audit"]["endpoint_names"]


def _names(seen: "Delivery") -> list[str]:
    """The schedules that are there; those of an audit bear its time."""
    return sorted(re.sub(r"\d{8}T\d{6}Z", "…", name) for name in seen.inputs)


def _found(seen: "Delivery") -> list:
    """What the parts of an audit found."""
    return [_summary(seen.inputs[name]) for name in sorted(seen.inputs) if "audit" in seen.inputs[name]]


def _essence(message: dict) -> list:
    if "outcome" not in message:
        return [_summary(message)]
    return [message["outcome"]["status"], message["outcome"]["reason"], message["diagnosis"]["verdict"], _plan(message["plan"]), message["warnings"]]


@dataclass
class Cell:
    scene: str
    operation: str
    kind: str
    letter: str = ""
    detail: str = ""
    seconds: float = 0.0


@dataclass
class Judge:
    scene: Scene
    before: dict | None = None
    usual: Delivery | None = None
    operations: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Without any fault: what is expected, and which calls there are to disturb."""
        self.scene.rewind()
        self.before = self._scaling()
        with self.scene.function(UNHURRIED) as function:
            self.usual = self._deliver(function, self.scene.event)
        assert not self.usual.failed and not self.usual.wrong, self.usual.wrong
        # The metrics that are read where the event comes again: from now on the gateway knows them.
        self.scene.rewind()
        self.scene.clock.forward(seconds=HIDDEN.total_seconds())
        with self.scene.function(UNHURRIED) as function:
            self._deliver(function, self.scene.event)
        self.operations = sorted({call.operation for call in self.usual.calls})

    def judge(self, cell: Cell) -> None:
        self.scene.rewind()
        stage = self.scene.stage
        with self.scene.function() as function:
            stage.gateway.disturbance = Fault(cell.operation, cell.kind, self.scene.clock.now)
            first = self._deliver(function, self.scene.event)
            stage.gateway.disturbance = None
            if first.wrong:
                cell.letter, cell.detail = BROKEN, first.wrong
                return
            named = next(action(call) for call in self.usual.calls if call.operation == cell.operation)
            cell.letter, cell.detail = self._first(first, named)
            if cell.letter in (RETRIED, LATER):
                self.scene.clock.forward(seconds=HIDDEN.total_seconds())
                event = self.scene.event if cell.letter == RETRIED else sqs({"follow_up": first.open_incident()})
                second = self._deliver(function, event)
                if wrong := second.wrong or self._second(first, second, cell.operation):
                    cell.letter, cell.detail = BROKEN, wrong

    def _first(self, seen: Delivery, named: str) -> tuple[str, str]:
        # The same write twice, where the first answer was lost, is one: every write converges.
        if beyond := set(seen.writes) - set(self.usual.writes):
            return BROKEN, f"writes what it does not write else: {sorted(beyond)}"
        if wrong := self._unrecorded(seen):
            return BROKEN, wrong
        if seen.failed:
            return RETRIED, ""
        if wrong := self._unfinished(seen):
            return BROKEN, wrong
        if seen.says == self.usual.says and set(seen.writes) == set(self.usual.writes) and _names(seen) == _names(self.usual) \
                and _found(seen) == _found(self.usual):
            return AS_EVER, ""
        heard = json.dumps(seen.told) + json.dumps([held for held in seen.inputs.values() if "audit" in held])
        if named in heard or any(message.get("diagnosis", {}).get("verdict") == "insufficient_data" for message in seen.told):
            return SAID, "; ".join(seen.statuses)
        if not seen.told and seen.open_incident() and not seen.writes:
            return LATER, ""
        return BROKEN, f"people heard {seen.says} instead of {self.usual.says}, and {named} is not named"

    def _second(self, first: Delivery, second: Delivery, disturbed: str) -> str:
        if second.failed:
            return "fails again without the fault"
        told = first.statuses + second.statuses
        if self.usual.told and (not told or not set(told) <= {*self.usual.statuses, self.scene.later}):
            return f"people were told {told} instead of {self.usual.statuses}"
        # What SNS took without an answer is sent again: at least once, and no more than that can be promised of it.
        if self.usual.told and len(told) > len(self.usual.told) + 1 and disturbed != "Publish":
            return f"people were told {told}"
        if not set(_parts(self.usual)) <= set(_parts(first) + _parts(second)):
            return "not all parts were passed on"
        if _names(second) != _names(self.usual):
            return f"schedules {_names(second)} are there instead of {_names(self.usual)}"
        reports = [message for message in first.told + second.told if "outcome" in message]
        applied = [report for report in reports if report["outcome"]["status"] == "applied"]
        if applied and _standing(second.scaling) != _promised(applied[-1]):
            return f"{second.scaling} stands, and {_promised(applied[-1])} was told"
        expected = self.before if self.scene.later in told else self.usual.scaling
        if not applied and _standing(second.scaling) != _standing(expected):
            return f"{second.scaling} stands instead of {expected}"
        return self._unrecorded(second) or self._unfinished(second)

    def _unrecorded(self, seen: Delivery) -> str:
        """What was written, and could not be taken back or would never be relaxed."""
        if _standing(seen.scaling) == _standing(self.before) or seen.scaling is None:
            return ""
        has_record = "endpoint-advisor:before" in seen.scaling["tags"] or "endpoint-advisor:before" in (self.before or {}).get("tags", {})
        is_remembered = seen.open_incident() is not None or not self.usual.inputs
        if any(name.startswith("endpoint-advisor-") for name in seen.scaling["policies"]) and not (has_record and is_remembered):
            return f"{seen.scaling} stands without a record"
        if seen.scaling["min"] > (self.before or {"min": seen.scaling["min"]})["min"] and not is_remembered:
            return "Min is raised and nobody would lower it"
        return ""

    def _unfinished(self, seen: Delivery) -> str:
        incident = seen.open_incident()
        return "a claim is left though the event was answered" if incident and incident.get("claim") else ""

    def _deliver(self, function: Function, event: dict) -> Delivery:
        stage = self.scene.stage
        stage.gateway.calls.clear()
        failed, wrong = False, ""
        try:
            failed = bool(failed_messages(function.invoke(event)))
        except FunctionError as error:
            failed, wrong = True, f"the whole batch fails: {error}"
        except Died as error:
            wrong = f"the process died: {error}"
        except TimeoutError:
            wrong = f"no answer within the {self.scene.timeout} s that the function has"
        told = []
        for envelope in stage.topics.envelopes():
            told.append(json.loads(envelope["Message"]))
        return Delivery(failed, list(stage.gateway.calls), told, stage.schedules.inputs(), self._scaling(), wrong)

    def _scaling(self) -> dict | None:
        return self.scene.endpoint.scaling() if self.scene.endpoint else None


def _parts(seen: Delivery) -> list[str]:
    """The endpoints of each part of an audit that was passed on."""
    sent = [call.body for call in seen.calls if call.operation == "SendMessageBatch" and call.status == 200]
    return [json.dumps(_endpoints(entry)) for body in sent for entry in body["Entries"]]


def _standing(scaling: dict | None) -> list | None:
    policies = {name: policy and policy["TargetValue"] for name, policy in scaling["policies"].items()} if scaling else {}
    return scaling and [scaling["min"], scaling["max"], policies, scaling["scheduled actions"]]


def _promised(report: dict) -> list:
    plan = report["plan"]
    asked, tracking = plan["register_scalable_target"], "TargetTrackingScalingPolicyConfiguration"
    policies = {policy["PolicyName"]: (policy.get(tracking) or {}).get("TargetValue") for policy in plan["put_scaling_policies"]}
    actions = {action["ScheduledActionName"]: action["ScalableTargetAction"] for action in plan["put_scheduled_actions"]}
    return [asked["MinCapacity"], asked["MaxCapacity"], policies, actions]
