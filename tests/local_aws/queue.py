"""An asynchronous endpoint: a simulated day of its queue in CloudWatch, up to now.

moto takes `AsyncInferenceConfig` and does not tell it in `DescribeEndpoint`; the gateway does, in AWS's shape.
"""

import json
import subprocess
from datetime import datetime, timedelta, timezone

from .binaries import binary
from .emulators import Emulators
from .endpoint import Endpoint

_OF_ENDPOINT = ("ApproximateBacklogSize", "ApproximateBacklogSizePerInstance", "ApproximateAgeOfOldestRequest", "HasBacklogWithoutCapacity")
_UTILISATION = ("CPUUtilization",)
_DATUMS_PER_CALL = 10_000


def begin(emulators: Emulators, name: str, trouble: str, seed: int) -> Endpoint:
    """An endpoint whose queue is in this trouble right now."""
    head, *series = _simulate(trouble, seed)
    # A variant starts with an instance at least; the count goes to zero later, as scaling does it.
    endpoint = Endpoint.create(emulators, name, max(1, head["instances"]))
    endpoint.set_instances(head["instances"])
    client = {"MaxConcurrentInvocationsPerInstance": head["slots"]} if head["slots"] else {}
    emulators.gateway.asynchronous[name] = {"ClientConfig": client, "OutputConfig": {"S3OutputPath": f"s3://{name}/"}}
    of_endpoint = [{"Name": "EndpointName", "Value": name}]
    of_variant = of_endpoint + [{"Name": "VariantName", "Value": endpoint.variant}]
    end = datetime.now(timezone.utc).replace(second=0, microsecond=0)
    namespaces: dict[str, list[dict]] = {}
    for metric, values in _one_each(series).items():
        namespace = "/aws/sagemaker/Endpoints" if metric in _UTILISATION else "AWS/SageMaker"
        first = end - len(values) * timedelta(minutes=1)
        namespaces.setdefault(namespace, []).extend(
            {"MetricName": metric, "Dimensions": of_endpoint if metric in _OF_ENDPOINT else of_variant,
             "Timestamp": first + minute * timedelta(minutes=1), "Value": value}
            for minute, value in enumerate(values) if value is not None)
    cloudwatch = emulators.client("cloudwatch")
    for namespace, datums in namespaces.items():
        for at in range(0, len(datums), _DATUMS_PER_CALL):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=datums[at : at + _DATUMS_PER_CALL])
    return endpoint


def _one_each(series: list[dict]) -> dict[str, list[float | None]]:
    """One value a minute for each metric: of several statistics the first, which is the mean."""
    metrics: dict[str, list[float | None]] = {}
    for one in series:
        metrics.setdefault(one["metric"], one["values"])
    return metrics


def _simulate(trouble: str, seed: int) -> list[dict]:
    done = subprocess.run([binary("simulate"), "--queue", trouble, "--seed", str(seed)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"simulate --queue {trouble} failed: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]
