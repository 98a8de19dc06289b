"""Which memory size: what a look costs and how long it takes with the share of a processor that Lambda gives for it."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from ..emulators import Emulators
from .cpu_share import MB_OF_ONE_VCPU, Share
from .programs import Program
from .recorder import Recorder
from .runs import run

SIZES_MB = (128, 192, 256, 384, 512, 768, 1024, 1769)
# US dollars for a GB-second in us-east-1, "AWS Lambda pricing", the first tier.
USD_PER_GB_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
_RUNS = 5


@dataclass
class Size:
    memory_mb: int
    is_reckoned: bool  # from processor time, where no quota can be set
    first_seconds: float
    warm_seconds: float
    usd_of_a_million: dict[str, float]  # cold looks, by architecture; the start included
    latency_times_cost: float  # of a cold look on arm64, smallest is best


def sweep(emulators: Emulators, recorder: Recorder, program: Program, event: Callable[[], dict]) -> list[Size]:
    can_limit = Share.is_possible()
    at_full_speed = [run(emulators, recorder, program, event()) for _ in range(_RUNS)]
    sizes = []
    for memory_mb in SIZES_MB:
        if can_limit:
            runs = [run(emulators, recorder, program, event(), share=Share(memory_mb)) for _ in range(_RUNS)]
            first, warm = (statistics.median(run.invocations[number].seconds for run in runs) for number in (0, 1))
        else:
            # What is not computed is waited for, at any speed.
            runs, slower = at_full_speed, max(0.0, MB_OF_ONE_VCPU / memory_mb - 1)
            first, warm = (statistics.median(run.invocations[number].seconds + slower * run.invocations[number].cpu_seconds for run in runs)
                           for number in (0, 1))
        start = statistics.median(run.start_seconds for run in runs)
        usd = {name: 1e6 * price * memory_mb / 1024 * (start + first) for name, price in USD_PER_GB_SECOND.items()}
        sizes.append(Size(memory_mb, not can_limit, first, warm, usd, first * usd["arm64"]))
    return sizes


def lines(sizes: list[Size]) -> list[str]:
    least = min(size.latency_times_cost for size in sizes)
    head = f"{'memory':>8}{'first':>9}{'warm':>9}{'USD per million, arm64':>25}{'x86_64':>9}{'latency × cost':>17}"
    return [head] + [f"{size.memory_mb:>5} MB{size.first_seconds:>7.2f} s{size.warm_seconds:>7.2f} s{size.usd_of_a_million['arm64']:>25.2f}"
                     f"{size.usd_of_a_million['x86_64']:>9.2f}{size.latency_times_cost / least:>17.2f}" for size in sizes]
