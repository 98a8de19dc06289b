"""The endpoints of the demo: how each is hosted, what its alarm is on, and how that reads."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from . import queue, serverless
from .alarm import Alarm
from .components import Component
from .emulators import Emulators
from .endpoint import Endpoint

DAYS = 3
MAX_INSTANCES = 10  # of every endpoint that has no tag for it


@dataclass
class Scene:
    endpoint: Endpoint
    alarm: Alarm
    hosts: str = ""  # what is special about it
    note: str = ""  # about the stage
    watched: tuple[str, float, str] = ("p90 ModelLatency", 1_000.0, "ms")  # the alarm's metric, what it is divided by, and then its unit
    counted: tuple[str, str] = ("instance", "instances")
    load: tuple[str, str] = ("Invocations per minute", "invocations")  # in words, and in the simulator's
    trouble_minutes: int = 15  # its incident began so long before the end
    most: int = MAX_INSTANCES
    raises_min: bool = True  # in an incident

    @property
    def name(self) -> str:
        return self.endpoint.name

    def write_up_to_the_incident(self) -> int:
        """Puts its past into CloudWatch; answers how many datums that took."""
        return self.endpoint.history.write(until_minute=-self.trouble_minutes - 1)

    def write_the_incident(self) -> None:
        self.endpoint.history.write()
        self.endpoint.history.up_to_now()

    def reading(self) -> str:
        """The newest value of the alarm's metric that CloudWatch has of this endpoint."""
        now = datetime.now(timezone.utc)
        metric = {"Namespace": self.alarm.namespace, "MetricName": self.alarm.metric,
                  "Dimensions": [{"Name": name, "Value": value} for name, value in self.alarm.dimensions.items()]}
        answer = self.endpoint.emulators.client("cloudwatch").get_metric_data(
            StartTime=now - timedelta(hours=1), EndTime=now,
            MetricDataQueries=[{"Id": "watched", "MetricStat": {"Period": 60, "Stat": self.alarm.statistic, "Metric": metric}}])
        result = answer["MetricDataResults"][0]
        return self._told(max(zip(result["Timestamps"], result["Values"]))[1])

    def limit(self) -> str:
        return self._told(self.alarm.threshold).removeprefix(f"{self.watched[0]} ")

    def loads(self) -> str:
        words, key = self.load
        before, now = (self.endpoint.history.minute(minute)[key] for minute in (-self.trouble_minutes - 30, -1))
        return f"{words}: {before:,.0f} half an hour before, {now:,.0f} now."

    def count(self, number: int) -> str:
        return f"{number} {self.counted[number != 1]}"

    def _told(self, value: float) -> str:
        name, per, unit = self.watched
        return f"{name} {value / per:,.0f} {unit}"


def variant(emulators: Emulators, name: str, trouble: str, **made) -> Scene:
    return Scene(Endpoint.simulate(emulators, name, trouble, DAYS, **made), Alarm(name))


def component(emulators: Emulators, name: str, endpoint: str, trouble: str) -> Scene:
    hosting = Endpoint.of_component(emulators, Component(name, endpoint))
    hosting.simulate_component(trouble, DAYS)
    return Scene(hosting, Alarm(endpoint, component=name), hosts=f" with the inference component `{name}`", counted=("copy", "copies"),
                 note="moto knows no inference components: the demo's gateway answers for it, in AWS's shape.")


def units(emulators: Emulators, name: str, trouble: str, most: int) -> Scene:
    endpoint = serverless.begin(emulators, name, trouble, tags={"max-instances": str(most)})
    alarm = Alarm(name, metric="ServerlessProvisionedConcurrencySpilloverInvocations", statistic="Sum", threshold=5.0,
                  description="Requests find no unit of provisioned concurrency idle")
    return Scene(endpoint, alarm, hosts=", serverless with provisioned concurrency",
                 watched=("beyond provisioned concurrency come", 1.0, "requests a minute"),
                 counted=("unit of provisioned concurrency", "units of provisioned concurrency"), trouble_minutes=4, most=most,
                 note="moto refuses the scalable dimension of provisioned concurrency: the demo's gateway has moto keep it under another "
                      "name, and checks what AWS checks.")


def waiting(emulators: Emulators, name: str, trouble: str, seed: int) -> Scene:
    endpoint = queue.begin(emulators, name, trouble, seed)
    alarm = Alarm(name, variant="", metric="ApproximateAgeOfOldestRequest", statistic="Maximum", threshold=600.0,
                  description="Requests wait for more than ten minutes")
    return Scene(endpoint, alarm, hosts=", asynchronous", watched=("the oldest request has waited", 60.0, "min"), trouble_minutes=25,
                 load=("Requests that wait or are in work", "ApproximateBacklogSize"), raises_min=False,
                 note="moto does not tell AsyncInferenceConfig of an endpoint: the demo's gateway does.")
