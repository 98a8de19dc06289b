"""One life of a function: started, invoked cold, invoked warm, ended; with what each took."""

import contextlib
import time
from dataclasses import dataclass, field

from ..emulators import Emulators
from ..runtime_api import Function
from .cpu_share import Share
from .programs import Program
from .recorder import Recorder
from .rounds import Timed

_START_SECONDS = 60


@dataclass
class Invocation:
    seconds: float
    cpu_seconds: float
    calls: list[Timed]
    connections: int
    answer: dict | list | str


@dataclass
class Run:
    start_seconds: float  # process start to the first poll
    start_cpu_seconds: float  # user and system, all threads
    invocations: list[Invocation] = field(default_factory=list)
    start_mb: float = 0.0
    peak_mb: float = 0.0
    cpu_seconds: float = 0.0


def cpu_seconds(pid: int) -> float:
    """What a process took of the processor so far, threads that ended included: its CPU-time clock, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)


def run(emulators: Emulators, recorder: Recorder, program: Program, event, invocations: int = 2, share: Share | None = None) -> Run:
    """`share`: what it has of the processor from the first event on; Lambda lets a function start at full speed."""
    recorder.prepare()
    function = Function(emulators, recorder.environment() | program.settings, command=program.command)
    with contextlib.ExitStack() as stack:
        began = time.perf_counter()
        stack.enter_context(function)
        polled = function.polls.get(timeout=_START_SECONDS)
        done = Run(polled - began, cpu_seconds(function.pid))
        done.start_mb = function.peak_memory_mb()
        if share:
            stack.enter_context(share.of(function.pid))
        for _ in range(invocations):
            recorder.forget()
            cpu = cpu_seconds(function.pid)
            began = time.perf_counter()
            answer = function.invoke(event)
            seconds = time.perf_counter() - began
            function.polls.get(timeout=_START_SECONDS)  # what it does after its answer is its own too
            done.invocations.append(Invocation(seconds, cpu_seconds(function.pid) - cpu, list(recorder.calls), recorder.connections, answer))
        done.peak_mb = function.peak_memory_mb()
        done.cpu_seconds = cpu_seconds(function.pid)
    return done
