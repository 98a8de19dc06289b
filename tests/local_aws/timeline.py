"""What an endpoint does after its latency alarm fired, minute by minute, on a clock that a test moves.

It all lies in the past: the alarm fires two and a half hours ago, and what is written never lies in the future, which
CloudWatch would refuse. No emulator scales instances, so a test says when they come, and what becomes of latency.
"""

from datetime import datetime, timedelta, timezone

from .clock import Clock
from .emulators import Emulators
from .endpoint import INSTANCE_TYPE, Endpoint

AGE = timedelta(hours=2, minutes=30)
_MINUTE = timedelta(minutes=1)
_INCIDENT_MINUTES = 15  # the simulator's incidents begin this long before the end
_STEADY_MINUTES = 3  # the height of the incident
_NORMAL_MINUTES = 60  # traffic before the incident
_DISTINCT = 24  # values of latency in a minute: the simulator tells a hundred
_ALIKE = 5  # a load is told by one of so many minutes that had about the same


class Timeline:
    """`traffic` is "high" as in the incident, or "normal" as in the hour before. `helped` says whether fewer requests for
    each instance make it faster; where not, latency stays as it was at the height of the incident."""

    traffic = "high"
    helped = True

    def __init__(self, endpoint: Endpoint, clock: Clock):
        self.endpoint, self.clock = endpoint, clock
        self.cloudwatch = endpoint.emulators.client("cloudwatch", endpoint.name)
        self.instances = endpoint.instances()
        minutes = endpoint.history.minutes()
        self._by_load = sorted(minutes, key=_load)
        self._height = minutes[-_STEADY_MINUTES:]
        self._before = minutes[-_INCIDENT_MINUTES - _NORMAL_MINUTES : -_INCIDENT_MINUTES]
        self._scaling: dict | None = None

    @classmethod
    def begin(cls, emulators: Emulators, name: str, scenario: str = "overload", days: int = 1) -> "Timeline":
        """An endpoint whose alarm fires now, on a new clock; its past is in CloudWatch, in a Region of its own name."""
        now = datetime.now(timezone.utc).replace(second=0, microsecond=0)
        clock = Clock(emulators.folder / f"{name}.clock", now - AGE)
        endpoint = Endpoint.simulate(emulators, name, scenario, days, end=clock.now(), metrics=name, distinct=_DISTINCT)
        endpoint.history.write()
        return cls(endpoint, clock)

    def forward(self, minutes: int) -> None:
        """Lets time pass: writes what each minute shows, and moves the clock."""
        begin = self.clock.now().replace(second=0)
        if (end := begin + minutes * _MINUTE) > datetime.now(timezone.utc):
            raise AssertionError(f"{end} lies in the future: the timeline has {AGE} in all")
        self.endpoint.history.put([(at, self._minute(at)) for at in (begin + i * _MINUTE for i in range(minutes))])
        self.clock.forward(minutes=minutes)

    def until(self, then: datetime) -> None:
        """Lets time pass until `then`, or the full minute after it."""
        self.forward(max(0, -((self.clock.now() - then) // _MINUTE)))

    def scale(self, instances: int, status: str = "Successful") -> None:
        """What Application Auto Scaling does once a minimum is above what runs, and what its activities say of it.
        `InProgress`: the endpoint is `Updating`. `Successful`: the instances are there. `Failed`: the account's quota does not
        allow them, in AWS's words."""
        gateway = self.endpoint.emulators.gateway
        if self._scaling not in gateway.auto_scaling.activities or self._scaling["StatusCode"] != "InProgress":
            self._scaling = {"ActivityId": f"{self.endpoint.name}-{len(gateway.auto_scaling.activities)}", "ServiceNamespace": "sagemaker",
                             "ResourceId": self.endpoint.resource_id, "ScalableDimension": self.endpoint.dimension,
                             "Description": f"Setting desired instance count to {instances}.",
                             "Cause": f"minimum capacity was set to {instances}", "StartTime": self.clock.now().timestamp()}
            gateway.auto_scaling.activities.append(self._scaling)
        self._scaling |= {"StatusCode": status, "StatusMessage": _MESSAGES[status].format(instances=instances, has=self.instances,
                                                                                        more=instances - self.instances, type=INSTANCE_TYPE)}
        gateway.endpoint_status.pop(self.endpoint.name, None)
        if status == "InProgress":
            gateway.endpoint_status[self.endpoint.name] = "Updating"
            return
        self._scaling["EndTime"] = self.clock.now().timestamp()
        if status == "Successful":
            self.endpoint.set_instances(instances)
            self.instances = instances

    def _minute(self, at: datetime) -> dict:
        """The minute of its own past that had the same load on each instance, with so many instances and requests."""
        turn = int(at.timestamp()) // 60
        sample = {"high": self._height, "normal": self._before}[self.traffic]
        requests = sample[turn % len(sample)]["invocations"]
        place = min(range(len(self._by_load)), key=lambda i: abs(_load(self._by_load[i]) - requests / self.instances))
        alike = self._by_load[max(0, place - _ALIKE // 2) :][:_ALIKE]
        minute = alike[turn % len(alike)]
        slow = self._height[turn % len(self._height)] if not self.helped else minute
        return minute | {
            "invocations": requests, "arrivals": requests, "instances": self.instances,
            "model_latency_us": _scaled(slow["model_latency_us"], requests / slow["invocations"]),
            "overhead_latency_us": _scaled(minute["overhead_latency_us"], requests / minute["invocations"]),
            **{name: _for_each(minute[name], minute["instances"], self.instances)
               for name in ("cpu_percent", "gpu_percent", "gpu_memory_percent", "memory_percent", "concurrent_requests")}}


_MESSAGES = {
    "InProgress": "Successfully set desired instance count to {instances}. Waiting for change to be fulfilled by sagemaker.",
    "Successful": "Successfully set desired instance count to {instances}. Change successfully fulfilled by sagemaker.",
    "Failed": "Failed to set desired instance count to {instances}. Reason: The account-level service limit '{type} for endpoint usage' is "
              "{has} Instances, with current utilization of {has} Instances and a request delta of {more} Instances. Please use AWS Service "
              "Quotas to request an increase for this quota. (Service: AmazonSageMaker; Status Code: 400; Error Code: ResourceLimitExceeded; "
              "Request ID: 00000000-0000-0000-0000-000000000000).",
}


def _load(minute: dict) -> float:
    return minute["invocations"] / minute["instances"]


def _scaled(values: list[list[float]], factor: float) -> list[list[float]]:
    return [[value, max(1, round(count * factor))] for value, count in values]


def _for_each(samples: list[float], instances: int, now: int) -> list[float]:
    """The samples of so many instances, for as many as there are now."""
    wanted = len(samples) * now // instances
    return [samples[i % len(samples)] for i in range(wanted)]
