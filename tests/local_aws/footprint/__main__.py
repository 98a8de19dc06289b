"""`make bench-lambda`: what the function weighs, how fast it starts and answers, and what it asks of AWS, beside a Rust function that
does nothing and one in Python that reads the same.

All three are started as Lambda starts them, in turn, so that whatever else this machine does meets all alike. AWS is the emulators'
answers, over TLS, each after the same delay. A run is one life: start, a first invocation by an alarm, a second one, warm.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from .. import terminal
from ..alarm import Alarm
from ..binaries import CHECKOUT
from ..emulators import Emulators
from ..endpoint import Endpoint
from ..runtime_api import Died, FunctionError
from . import results, sweep
from .programs import Program, programs
from .recorder import Recorder
from .runs import Run, run

_ENDPOINT = "orders"
_ATTEMPTS = 5  # the emulators may take longer for their first answers than a program waits


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=25)
    options.add_argument("--days", type=int, default=14, help="of history")
    options.add_argument("--delay-ms", type=int, default=100, help="of each call of AWS")
    options.add_argument("--smoke", action="store_true", help="debug binaries, two runs, one day")
    options.add_argument("--sweep", action="store_true", help="also the memory sizes that Lambda offers")
    options.add_argument("--json", type=Path, help="file for the results")
    asked = options.parse_args()
    if asked.smoke:
        asked.runs, asked.days = 2, 1
    built = os.environ.get("ADVISOR_BIN_DIR", CHECKOUT / "target" / ("debug" if asked.smoke else "release"))
    measured = programs(Path(built).absolute())
    with Emulators() as emulators, tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(emulators, Path(folder), asked.delay_ms / 1000)
        with recorder:
            _stage(emulators, recorder, measured, asked.days)
            runs = _runs(emulators, recorder, measured, asked.runs)
            swept = sweep.sweep(emulators, recorder, measured[0], _event) if asked.sweep else []
    rows = results.table(measured, runs)
    goals = results.goals(rows, is_release=not asked.smoke)
    load = os.getloadavg()[0]
    terminal.line(f"Medians of {asked.runs} runs, {asked.days} days of history, {asked.delay_ms} ms for each call, {platform.machine()}, "
                  f"{os.cpu_count()} processors, load {load:.1f}.")
    terminal.quote("\n".join(results.lines(rows)))
    terminal.line("Its calls, each after those of the line before:")
    terminal.quote("\n".join(results.chain(runs["advisor"][0])))
    if swept:
        terminal.quote("\n".join(sweep.lines(swept)))
    for goal in goals:
        terminal.verdict(goal.is_met, f"{goal.words}: {goal.measured:.1f}")
    if asked.json:
        about = {"runs": asked.runs, "days": asked.days, "delay_ms": asked.delay_ms, "machine": platform.machine(), "load": load}
        asked.json.write_text(json.dumps(results.to_json(rows, goals, about) | {"memory": [vars(size) for size in swept]}, indent=2) + "\n")
    return 0 if all(goal.is_met for goal in goals) else 1


def _event() -> dict:
    return Alarm(_ENDPOINT).eventbridge()


def _stage(emulators: Emulators, recorder: Recorder, measured: list[Program], days: int) -> None:
    """An overloaded endpoint with a policy of somebody else; every call answered once."""
    with terminal.progress(f"{days} days of minute metrics into CloudWatch"):
        endpoint = Endpoint.simulate(emulators, _ENDPOINT, "overload", days, distinct=12)
        endpoint.history.write()
        endpoint.history.up_to_now()
    endpoint.register_target(1, endpoint.instances())
    endpoint.put_policy("somebody-else", 2_000.0)
    sns, scheduler = emulators.client("sns"), emulators.client("scheduler")
    for topic in ("report", "chat"):
        sns.create_topic(Name=topic)
    scheduler.create_schedule_group(Name="incidents")
    delay, recorder.delay_seconds = recorder.delay_seconds, 0.0
    for program in measured:
        with terminal.progress(f"first answers for {program.words}"):
            _learn(emulators, recorder, program)
    recorder.delay_seconds = delay


def _learn(emulators: Emulators, recorder: Recorder, program: Program) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            answer = run(emulators, recorder, program, _event(), invocations=1).invocations[0].answer
            break
        except (FunctionError, Died, TimeoutError):
            if attempt + 1 == _ATTEMPTS:
                raise
    if program.name == "advisor":
        [report] = answer["reports"]
        verdict, action, status = report["diagnosis"]["verdict"], report["plan"]["action"], report["outcome"]["status"]
        if (verdict, action, status) != ("overload", "scale", "recommended"):
            raise RuntimeError(f"this would not measure a whole decision: {verdict}, {action}, {status}")


def _runs(emulators: Emulators, recorder: Recorder, measured: list[Program], count: int) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {program.name: [] for program in measured}
    with terminal.progress(f"{count} runs of each"):
        for _ in range(count):
            for program in measured:
                runs[program.name].append(run(emulators, recorder, program, _event()))
    return runs


if __name__ == "__main__":
    sys.exit(main())
