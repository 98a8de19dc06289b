"""Gives an endpoint days of minute metrics in CloudWatch, as the simulator tells them."""

import functools
import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

from .binaries import binary

_MINUTE = timedelta(minutes=1)
# AWS takes 1000. ministack takes more, and walks through everything that it holds at each call.
_DATUMS_PER_CALL = 10_000
_STEADY_MINUTES = 3  # what is repeated while the incident goes on

INVOCATIONS = "AWS/SageMaker"
UTILISATION = "/aws/sagemaker/Endpoints"
OF_COMPONENTS = "/aws/sagemaker/InferenceComponents"
_OF_COPIES = {"InvocationsPerInstance": "InvocationsPerCopy", "ConcurrentRequestsPerModel": "ConcurrentRequestsPerCopy"}
_CORES = 4  # of each copy

Samples = tuple[str, str, str, list[float], list[int]]  # namespace, metric, unit, values and how many had each
Published = Callable[[dict], Iterator[Samples]]


class History:
    """The simulated past of one endpoint, up to `end` (else: now)."""

    def __init__(self, cloudwatch, dimensions: dict[str, str], minutes: list[dict], published: Published, of_endpoint: tuple[str, ...] = (),
                 without: tuple[str, ...] = (), end: datetime | None = None, distinct: int | None = None):
        """`cloudwatch` is a boto3 client. `dimensions`: under which its metrics are, but for those that are `of_endpoint` alone.
        `minutes`: what the simulator tells, oldest first; `published`: what SageMaker makes of one. `without` names metrics to leave
        out; `distinct`: at most so many values in a minute, where an emulator has to be fast."""
        self._cloudwatch = cloudwatch
        self._dimensions, self._of_endpoint = dimensions, of_endpoint
        self._minutes, self._published = minutes, published
        self._without = without
        self._distinct = distinct
        self._end = (end or datetime.now(timezone.utc)).replace(second=0, microsecond=0)
        self._written: datetime | None = None  # all minutes before it are in CloudWatch
        self._written_beside: dict[str, datetime] = {}  # the same of further metrics

    @property
    def instances(self) -> int:
        return self._minutes[-1]["instances"]

    def minute(self, back: int) -> dict:
        """What the simulator tells of a minute, -1 being the last."""
        return self._minutes[back]

    def minutes(self) -> list[dict]:
        """All that the simulator tells, oldest first."""
        return self._minutes

    def write(self, until_minute: int = -1) -> int:
        """Writes the minutes up to `until_minute` that are not written yet; answers how many datums that took."""
        end = self._end + (until_minute + 1) * _MINUTE
        fresh = [m for m in self._minutes if (at := self._end + m["minute"] * _MINUTE) < end and (not self._written or at >= self._written)]
        self._written = end
        return self.put([(self._end + m["minute"] * _MINUTE, m) for m in fresh])

    def up_to_now(self) -> None:
        """Lets the last minutes repeat until now, so that the incident is still on when a test comes late."""
        now = datetime.now(timezone.utc).replace(second=0, microsecond=0)
        steady = self._minutes[-_STEADY_MINUTES:]
        missing = int((now - self._written) / _MINUTE)
        self.put([(self._written + i * _MINUTE, steady[i % len(steady)]) for i in range(missing)])
        self._written = max(now, self._written)

    def put_beside(self, metric: str, value, unit: str = "None", namespace: str = INVOCATIONS, last: int | None = None, **dimensions: str) -> None:
        """Writes a metric with one value a minute until now, `value(minute)` of what the simulator tells (None: no datapoint),
        under further or other dimensions than the variant's own; each minute once. `last`: only so many minutes."""
        steady, now = self._minutes[-_STEADY_MINUTES:], datetime.now(timezone.utc)
        told = [(self._end + m["minute"] * _MINUTE, m) for m in self._minutes]
        told += [(self._end + i * _MINUTE, steady[i % len(steady)]) for i in range(int((now - self._end) / _MINUTE))]
        under = self._dimensions | dimensions
        named = _named(under)
        key = f"{namespace} {metric} {sorted(under.items())}"
        fresh = [(at, m) for at, m in told[-(last or len(told)):] if at > self._written_beside.get(key, datetime.min.replace(tzinfo=timezone.utc))]
        self._written_beside[key] = told[-1][0]
        datums = [{"MetricName": metric, "Dimensions": named, "Timestamp": at, "Unit": unit, "Value": float(worth)}
                  for at, minute in fresh if (worth := value(minute)) is not None]
        for first in range(0, len(datums), _DATUMS_PER_CALL):
            self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=datums[first : first + _DATUMS_PER_CALL])

    def put(self, minutes: list[tuple[datetime, dict]]) -> int:
        """Writes minutes in the simulator's words; answers how many datums that took."""
        namespaces: dict[str, list[dict]] = {}
        for at, minute in minutes:
            for namespace, name, unit, values, counts in self._published(minute):
                if values and name not in self._without:
                    if self._distinct:
                        values, counts = _merged(values, counts, self._distinct)
                    namespaces.setdefault(namespace, []).append({"MetricName": name, "Dimensions": self._under(name), "Timestamp": at,
                                                                 "Unit": unit, "Values": values, "Counts": counts})
        for namespace, datums in namespaces.items():
            for first in range(0, len(datums), _DATUMS_PER_CALL):  # in turn: ministack replaces its lists at each call
                self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=datums[first : first + _DATUMS_PER_CALL])
        return sum(len(datums) for datums in namespaces.values())

    def _under(self, metric: str) -> list[dict]:
        is_of_endpoint = metric in self._of_endpoint
        return _named({name: value for name, value in self._dimensions.items() if name == "EndpointName" or not is_of_endpoint})


def _named(dimensions: dict[str, str]) -> list[dict]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


@functools.cache
def simulate(*arguments: str) -> list[dict]:
    """What the simulator prints."""
    done = subprocess.run([binary("simulate"), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"simulate {' '.join(arguments)} failed: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def published_by_variant(minute: dict) -> Iterator[Samples]:
    """What SageMaker publishes of a variant's minute."""
    yield from timings(minute, ("ModelLatency", "model_latency_us"), ("OverheadLatency", "overhead_latency_us"))
    invocations, instances = minute["invocations"], minute["instances"]
    if invocations:
        yield INVOCATIONS, "Invocations", "None", [1.0], [invocations]
        # SageMaker emits 1/instances per request; only the sum is ever read, so one sample carries it.
        yield INVOCATIONS, "InvocationsPerInstance", "None", [invocations / instances], [1]
        for name, field in ("Invocation4XXErrors", "errors_4xx"), ("Invocation5XXErrors", "errors_5xx"), ("InvocationModelErrors", "model_errors"):
            yield INVOCATIONS, name, "None", *ones_of(minute[field], invocations)
    if any(minute["concurrent_requests"]):
        yield INVOCATIONS, "ConcurrentRequestsPerModel", "None", *each(minute["concurrent_requests"])
    for name, field in (("CPUUtilization", "cpu_percent"), ("GPUUtilization", "gpu_percent"),
                        ("GPUMemoryUtilization", "gpu_memory_percent"), ("MemoryUtilization", "memory_percent")):
        yield UTILISATION, name, "Percent", *each(minute[field])
    if models := minute["multi_model"]:
        asked = sum(count for _, count in models["loading_wait_us"])
        yield INVOCATIONS, "ModelCacheHit", "None", *ones_of(models["cache_hits"], asked)
        yield from timings(models, ("ModelLoadingWaitTime", "loading_wait_us"), ("ModelDownloadingTime", "downloading_us"),
                           ("ModelLoadingTime", "loading_us"), ("ModelUnloadingTime", "unloading_us"))
        yield UTILISATION, "LoadedModelCount", "None", *each(models["loaded_models"])


def published_by_component(minute: dict) -> Iterator[Samples]:
    """The same as an inference component publishes it: CPU as a share of the cores that a copy was given."""
    for namespace, name, unit, values, counts in published_by_variant(minute):
        if namespace == UTILISATION:
            shares = [value / _CORES if name == "CPUUtilization" else value for value in values]
            yield OF_COMPONENTS, f"{name}Normalized", unit, shares, counts
        else:
            yield namespace, _OF_COPIES.get(name, name), unit, values, counts


def timings(source: dict, *metrics: tuple[str, str]) -> Iterator[Samples]:
    """Metrics in microseconds: values and how many samples had each."""
    for name, field in metrics:
        values, counts = zip(*source[field]) if source[field] else ((), ())
        yield INVOCATIONS, name, "Microseconds", list(values), list(counts)


def _merged(values: list[float], counts: list[int], distinct: int) -> tuple[list[float], list[int]]:
    """Neighbours become one, with their mean; the least and the greatest stay. Percentiles move by a few per cent at most."""
    if len(values) <= distinct:
        return values, counts
    pairs = sorted(zip(values, counts))
    size = -(-(len(pairs) - 2) // (distinct - 2))
    groups = [pairs[:1], *(pairs[i : min(i + size, len(pairs) - 1)] for i in range(1, len(pairs) - 1, size)), pairs[-1:]]
    counts = [sum(count for _, count in group) for group in groups]
    return [sum(value * count for value, count in group) / total for group, total in zip(groups, counts)], counts


def ones_of(ones: int, total: int) -> tuple[list[float], list[int]]:
    """Values and counts of a metric that is 1 for some requests and 0 for the others."""
    pairs = [(value, count) for value, count in ((1.0, ones), (0.0, total - ones)) if count > 0]
    return [value for value, _ in pairs], [count for _, count in pairs]


def each(values: list[float]) -> tuple[list[float], list[int]]:
    """Values and counts of a metric that has one sample for each value."""
    return [float(value) for value in values], [1] * len(values)
