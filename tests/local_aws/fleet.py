"""Many endpoints; and `make bench-fleet`: the tool's doctor over thousands of them, on the emulators.

What is measured: calls by operation, requests for metrics, wall-clock time and the tool's peak memory. Time is that of the paces in
`src/aws/pace.rs`, as on AWS, as long as the emulators keep up.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import time
from collections import Counter

from . import terminal
from .binaries import binary
from .emulators import ACCOUNT, REGION, Emulators

_AT_ONCE = 8


def populate(emulators: Emulators, count: int, prefix: str = "fleet") -> list[str]:
    """So many endpoints, of which every tenth has a scalable target without a policy."""
    names = [f"{prefix}-{index}" for index in range(count)]
    create(emulators, prefix, names)
    scaling = emulators.client("application-autoscaling")
    for name in names[::10]:
        scaling.register_scalable_target(ServiceNamespace="sagemaker", ResourceId=f"endpoint/{name}/variant/AllTraffic",
                                         ScalableDimension="sagemaker:variant:DesiredInstanceCount", MinCapacity=1, MaxCapacity=1)
    return names


def create(emulators: Emulators, prefix: str, names: list[str], instances: int = 1) -> None:
    """Endpoints of one model, with one variant each."""
    sagemaker = emulators.client("sagemaker")
    role = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
    sagemaker.create_model(ModelName=prefix, ExecutionRoleArn=role, PrimaryContainer={"Image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/x:1"})
    variant = {"VariantName": "AllTraffic", "ModelName": prefix, "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": instances}
    sagemaker.create_endpoint_config(EndpointConfigName=prefix, ProductionVariants=[variant])
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda name: sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=prefix), names))


def examine(emulators: Emulators) -> dict:
    """Runs the doctor over the whole Region; what it took and what it said."""
    emulators.gateway.calls.clear()
    began = time.monotonic()
    doctor = subprocess.Popen([binary("endpoint-advisor"), "doctor", "--format", "json"], stdout=subprocess.PIPE,
                              env=os.environ | emulators.environment())
    text = doctor.stdout.read()
    _, status, usage = os.wait4(doctor.pid, 0)
    calls = Counter(call.operation for call in emulators.gateway.calls)
    return {"status": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - began, "peak_mb": usage.ru_maxrss / 1024,
            "calls": dict(calls.most_common()), "checkup": json.loads(text or "{}")}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--endpoints", type=int, default=5000)
    count = options.parse_args().endpoints
    with Emulators() as emulators:
        made = 0
        for size in (count // 10, count):
            with terminal.progress(f"{size:,} endpoints in moto"):
                populate(emulators, size - made, f"fleet-of-{size}")
            made = size
            with terminal.progress("endpoint-advisor doctor"):
                seen = examine(emulators)
            checkup = seen["checkup"]
            terminal.line(f"{size:,} endpoints: {seen['seconds']:.0f} s, {seen['peak_mb']:.0f} MB at most, {sum(seen['calls'].values()):,} calls, "
                          f"of them {seen['calls'].get('GetMetricData', 0)} GetMetricData; {checkup['endpoints']:,} examined, {len(checkup['findings']):,} findings")
            terminal.note(", ".join(f"{operation} {calls:,}" for operation, calls in seen["calls"].items()))
            if seen["status"] or checkup["endpoints"] != size:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
