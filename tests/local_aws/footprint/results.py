"""What came of the runs: medians, ratios, and whether the goals are met."""

import statistics
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from .programs import Program
from .rounds import rounds
from .runs import Run

MB = 1024 * 1024
MS = 1000


@dataclass
class Row:
    name: str
    unit: str
    values: dict[str, float | None]  # by program

    def ratio(self, of: str, to: str) -> float | None:
        above, below = self.values.get(of), self.values.get(to)
        return above / below if above is not None and below else None


@dataclass
class Goal:
    words: str
    measured: float | None
    is_met: bool


def table(programs: list[Program], runs: dict[str, list[Run]]) -> list[Row]:
    def medians(of: Callable[[Run], float]) -> dict[str, float | None]:
        return {name: statistics.median(map(of, done)) for name, done in runs.items()}

    sizes = {program.name: program for program in programs}
    rows = [
        Row("start to first poll", "ms", medians(lambda run: run.start_seconds * MS)),
        Row("processor time until then", "ms", medians(lambda run: run.start_cpu_seconds * MS)),
        Row("first invocation", "ms", medians(lambda run: run.invocations[0].seconds * MS)),
        Row("processor time of it", "ms", medians(lambda run: run.invocations[0].cpu_seconds * MS)),
        Row("warm invocation", "ms", medians(lambda run: run.invocations[-1].seconds * MS)),
        Row("processor time of it, warm", "ms", medians(lambda run: run.invocations[-1].cpu_seconds * MS)),
        Row("memory at the first poll", "MB", medians(lambda run: run.start_mb)),
        Row("peak memory", "MB", medians(lambda run: run.peak_mb)),
        Row("binary", "MB", {name: size / MB if (size := program.binary_bytes()) else None for name, program in sizes.items()}),
        Row("zip", "MB", {name: program.package_bytes() / MB for name, program in sizes.items()}),
        Row("calls of AWS", "", medians(lambda run: len(run.invocations[0].calls))),
        Row("longest chain of calls", "", medians(lambda run: len(rounds(run.invocations[0].calls)))),
        Row("longest chain of reads", "", medians(read_rounds)),
        Row("connections", "", medians(lambda run: run.invocations[0].connections)),
        Row("answers read", "MB", medians(lambda run: sum(call.bytes for call in run.invocations[0].calls) / MB)),
    ]
    return rows


def read_rounds(run: Run) -> int:
    return len(rounds([call for call in run.invocations[0].calls if call.is_read()]))


def goals(rows: list[Row], is_release: bool) -> list[Goal]:
    """A debug binary is held only to what does not depend on how it is built."""
    by_name = {row.name: row for row in rows}

    def at_most(name: str, most: float, words: str) -> Goal:
        value = by_name[name].values["advisor"]
        return Goal(f"{words} ≤ {most:g} {by_name[name].unit}".strip(), value, value <= most)

    start = by_name["start to first poll"]
    found = [at_most("longest chain of reads", 4, "rounds of reading, one after the other"),
             at_most("calls of AWS", 18, "calls of AWS for an alarm in recommend mode")]
    if is_release:
        times, faster = start.ratio("advisor", "hello"), start.ratio("peer", "advisor")
        found += [Goal("start ≤ 2 times that of a function that does nothing", times, times <= 2),
                  Goal("start ≥ 25 times faster than the same reads in Python", faster, faster >= 25),
                  at_most("peak memory", 64, "peak memory"), at_most("zip", 5, "zip"),
                  at_most("processor time of it, warm", 1000, "processor time of a whole warm run, which bounds the decision,")]
    return found


def lines(rows: list[Row]) -> list[str]:
    head = f"{'':<28}{'advisor':>10}{'hello':>10}{'peer':>10}   {'/ hello':>8}{'peer /':>8}"
    return [head] + [_line(row) for row in rows]


def _line(row: Row) -> str:
    def shown(value: float | None, width: int) -> str:
        return f"{'–' if value is None else f'{value:,.1f}' if value < 100 and value != int(value) else f'{value:,.0f}':>{width}}"

    name = f"{row.name}, {row.unit}" if row.unit else row.name
    cells = "".join(shown(row.values.get(program), 10) for program in ("advisor", "hello", "peer"))
    return f"{name:<28}"[:28] + f"{cells}   {shown(row.ratio('advisor', 'hello'), 8)}{shown(row.ratio('peer', 'advisor'), 8)}"


def chain(run: Run) -> list[str]:
    """The calls of the first invocation, round by round."""
    told = []
    for number, calls in enumerate(rounds(run.invocations[0].calls), 1):
        counted = Counter(call.operation for call in calls)
        told.append(f"{number}. " + ", ".join(f"{name} × {count}" if count > 1 else name for name, count in counted.items()))
    return told


def to_json(rows: list[Row], goals: list[Goal], about: dict) -> dict:
    return about | {
        "medians": {row.name: {"unit": row.unit, **row.values} for row in rows},
        "ratios": {row.name: {"advisor to hello": row.ratio("advisor", "hello"), "peer to advisor": row.ratio("peer", "advisor")} for row in rows},
        "goals": [{"goal": goal.words, "measured": goal.measured, "is_met": goal.is_met} for goal in goals]}
