"""An asynchronous endpoint: a simulated day of its queue, up to now.

moto takes `AsyncInferenceConfig` and does not tell it in `DescribeEndpoint`; the gateway does, in AWS's shape.
"""

from collections.abc import Iterator

from .emulators import Emulators
from .endpoint import Endpoint
from .history import INVOCATIONS, UTILISATION, History, Samples, simulate

_OF_ENDPOINT = ("ApproximateBacklogSize", "ApproximateBacklogSizePerInstance", "ApproximateAgeOfOldestRequest", "HasBacklogWithoutCapacity")
_UTILISATION = ("CPUUtilization",)


def begin(emulators: Emulators, name: str, trouble: str, seed: int) -> Endpoint:
    """An endpoint whose queue is in this trouble right now, with a past that is not yet written."""
    head, *series = simulate("--queue", trouble, "--seed", str(seed))
    # A variant starts with an instance at least; the count goes to zero later, as scaling does it.
    endpoint = Endpoint.create(emulators, name, max(1, head["instances"]))
    endpoint.set_instances(head["instances"])
    client = {"MaxConcurrentInvocationsPerInstance": head["slots"]} if head["slots"] else {}
    emulators.gateway.asynchronous[name] = {"ClientConfig": client, "OutputConfig": {"S3OutputPath": f"s3://{name}/"}}
    endpoint.history = History(emulators.client("cloudwatch"), {"EndpointName": name, "VariantName": endpoint.variant}, _minutes(series),
                               _published, of_endpoint=_OF_ENDPOINT)
    return endpoint


def _minutes(series: list[dict]) -> list[dict]:
    """By minute one value of each metric: of several statistics the first, which is the mean."""
    metrics: dict[str, list[float | None]] = {}
    for one in series:
        metrics.setdefault(one["metric"], one["values"])
    names, columns = metrics.keys(), list(zip(*metrics.values(), strict=True))
    return [{"minute": index - len(columns), **dict(zip(names, values))} for index, values in enumerate(columns)]


def _published(minute: dict) -> Iterator[Samples]:
    for metric, value in minute.items():
        if metric != "minute" and value is not None:
            yield UTILISATION if metric in _UTILISATION else INVOCATIONS, metric, "None", [value], [1]
