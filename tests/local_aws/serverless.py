"""A serverless variant: a simulated day of its requests and containers, up to now."""

import time
from collections.abc import Iterator

from .emulators import Emulators
from .endpoint import Endpoint
from .history import INVOCATIONS, UTILISATION, History, Samples, each, ones_of, simulate, timings

_DISTINCT = 24  # values in a minute: every request has its own
_MILLION = 1e6  # the simulator tells shares and units in millionths
_WEEK_SECONDS = 7 * 86_400


def begin(emulators: Emulators, name: str, trouble: str, seed: int = 0, tags: dict[str, str] | None = None) -> Endpoint:
    """An endpoint with this trouble right now, with a past that is not yet written, tagged with the latency that it should keep."""
    head, *minutes = simulate("--serverless", f"serverless_{trouble}", "--seed", str(seed))
    units = {"ProvisionedConcurrency": head["provisioned"]} if head["provisioned"] else {}
    config = {"MemorySizeInMB": head["memory_size_in_mb"], "MaxConcurrency": head["max_concurrency"]} | units
    endpoint = Endpoint.create(emulators, name, serverless=config, tags={"slo-ms": f"{head['objective_ms']:.0f}"} | (tags or {}))
    # Cold starts after a deployment are told apart from others; to moto, everything was deployed a moment ago.
    emulators.gateway.described["DescribeEndpointConfig", name] = {"CreationTime": time.time() - _WEEK_SECONDS}
    endpoint.history = History(emulators.client("cloudwatch"), {"EndpointName": name, "VariantName": endpoint.variant}, minutes, _published,
                               distinct=_DISTINCT)
    return endpoint


def _published(minute: dict) -> Iterator[Samples]:
    yield from timings(minute, ("ModelLatency", "model_latency_us"), ("OverheadLatency", "overhead_latency_us"), ("ModelSetupTime", "setup_us"))
    served, refused, units = minute["invocations"], minute["throttled"] + minute["refused_by_model"], minute["provisioned"]
    if not served:
        return
    yield INVOCATIONS, "Invocations", "None", [1.0], [served]
    for name, errors in (("Invocation4XXErrors", refused), ("Invocation5XXErrors", minute["errors_5xx"]),
                         ("InvocationModelErrors", minute["refused_by_model"] + minute["errors_5xx"])):
        yield INVOCATIONS, name, "None", *ones_of(errors, served + minute["throttled"])
    yield UTILISATION, "MemoryUtilization", "Percent", *each([minute["memory_percent"]])
    yield INVOCATIONS, "ServerlessConcurrentExecutionsUtilization", "None", *_parts(minute["concurrency"], _MILLION)
    if units:
        yield INVOCATIONS, "ServerlessProvisionedConcurrencyExecutions", "None", *_parts(minute["provisioned_busy"], _MILLION)
        yield INVOCATIONS, "ServerlessProvisionedConcurrencyUtilization", "None", *_parts(minute["provisioned_busy"], _MILLION * units)
        yield INVOCATIONS, "ServerlessProvisionedConcurrencyInvocations", "None", *ones_of(served - minute["spillover"], served)
        yield INVOCATIONS, "ServerlessProvisionedConcurrencySpilloverInvocations", "None", *ones_of(minute["spillover"], served)


def _parts(samples: list[list[float]], of: float) -> tuple[list[float], list[int]]:
    """Values over a whole, and how many samples had each."""
    return [value / of for value, _ in samples], [count for _, count in samples]
