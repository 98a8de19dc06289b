"""Every AWS operation that the real function makes, in every scene, with every fault: `make bench-faults`.

Prints a table for each scene and ends with 1 where a promise is broken. The operations are those of a run without a fault, so a new call
is covered by itself.
"""

import argparse
import json
import re
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from .binaries import CHECKOUT
from .emulators import Emulators
from .fault_judge import BROKEN, LEGEND, Cell, Judge
from .fault_scenes import NOT_PLAYED, SCENES, Stage
from .faults import KINDS


_CALLS = re.compile(r"\.((?:describe|list|get(?!_or_)|put|create|delete|update|register|deregister|tag|untag|send)_[a-z_]+|publish)\(\)")


def called() -> set[str]:
    """Every operation that the function's sources call; the tool's own are its own affair."""
    sources = [path for path in (CHECKOUT / "src").rglob("*.rs") if "endpoint-advisor" not in path.parts]
    names = {name for path in sources for name in _CALLS.findall(path.read_text().split("#[cfg(test)]")[0])}
    return {"".join(word.title() for word in name.split("_")) for name in names}


def play(scene: str, operations: list[str] | None, kinds: list[str], share: tuple[int, int] = (0, 1)) -> list[Cell]:
    """The cells of one scene, in emulators of its own; `share`: of so many parts the one of this number."""
    with Emulators() as emulators:
        judge = Judge(SCENES[scene](Stage(emulators)))
        judge.look()
        cells = [Cell(scene, operation, kind) for operation in judge.operations for kind in kinds if not operations or operation in operations]
        for cell in (cells := cells[share[0] :: share[1]]):
            began = time.monotonic()
            judge.judge(cell)
            cell.seconds = time.monotonic() - began
        return cells


def table(cells: list[Cell], kinds: list[str]) -> str:
    letters = {(cell.operation, cell.kind): cell.letter for cell in cells}
    operations = sorted({cell.operation for cell in cells})
    wide = max(map(len, operations))
    lines = [" " * wide + "".join(f" {kind:>9}" for kind in kinds)]
    lines += [f"{operation:{wide}}" + "".join(f" {letters.get((operation, kind), ''):>9}" for kind in kinds) for operation in operations]
    return "\n".join(lines)


def page(cells: list[Cell], kinds: list[str]) -> str:
    """One table of all scenes, for `docs/reliability.md`: what came of it in any of them."""
    rows: dict[str, dict[str, set[str]]] = {}
    scenes: dict[str, set[str]] = {}
    for cell in cells:
        rows.setdefault(cell.operation, {}).setdefault(cell.kind, set()).add(cell.letter)
        scenes.setdefault(cell.operation, set()).add(cell.scene)
    told = lambda letters: f"`{''.join(letter for letter in LEGEND if letter in letters)}`"  # noqa: E731
    lines = ["| operation | scenes | " + " | ".join(f"`{kind}`" for kind in kinds) + " |", "| --- " * (len(kinds) + 2) + "|"]
    lines += [f"| `{operation}` | {len(scenes[operation])} | " + " | ".join(told(row[kind]) for kind in kinds) + " |" for operation, row in sorted(rows.items())]
    return "\n".join(lines)


def main() -> int:
    options = argparse.ArgumentParser(prog="make bench-faults", description=__doc__.split("\n\n")[0])
    options.add_argument("--scene", action="append", choices=SCENES, help="only these; all without")
    options.add_argument("--operation", action="append", help="only these, such as GetMetricData")
    options.add_argument("--fault", action="append", choices=KINDS, help="only these")
    options.add_argument("--processes", type=int, default=4, help="scenes that are played at the same time (they mostly wait)")
    options.add_argument("--json", help="file for the cells")
    options.add_argument("--page", help="file for one table of all scenes, as in docs/reliability.md")
    asked = options.parse_args()
    scenes, kinds = asked.scene or list(SCENES), asked.fault or list(KINDS)
    began, shares = time.monotonic(), 2
    cells: list[Cell] = []
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        played = {pool.submit(play, scene, asked.operation, kinds, (share, shares)): scene for scene in scenes for share in range(shares)}
        for done in as_completed(played):
            try:
                own = done.result()
            except Exception as error:  # a scene that cannot be played breaks the promise, and stops no other
                own = [Cell(played[done], "(none)", "", BROKEN, f"cannot be played: {error!r}")]
            cells += own
            print(f"{time.monotonic() - began:5.0f} s  {played[done]}: {len(own)} cells", file=sys.stderr, flush=True)
            if asked.json:
                Path(asked.json).write_text(json.dumps([asdict(cell) for cell in cells], indent=1))
    for scene in scenes:
        if own := [cell for cell in cells if cell.scene == scene]:
            print(f"\n{scene}\n{table(own, kinds)}")
    totals = Counter(cell.letter for cell in cells)
    print()
    for letter, words in LEGEND.items():
        print(f"{letter} {totals[letter]:5}  {words}")
    print(f"{len(cells)} cells, {len({cell.operation for cell in cells})} operations, {len(scenes)} scenes in {time.monotonic() - began:.0f} s; "
          f"the longest took {max((cell.seconds for cell in cells), default=0):.0f} s")
    broken = [cell for cell in cells if cell.letter == BROKEN]
    for cell in broken:
        print(f"\n{cell.scene}: {cell.operation} {cell.kind}: {cell.detail}")
    if asked.page:
        Path(asked.page).write_text(page(cells, kinds) + "\n")
    missing = sorted(called() - {cell.operation for cell in cells} - set(NOT_PLAYED)) if not (asked.scene or asked.operation) else []
    if missing:
        print(f"\nin no scene: {', '.join(missing)}")
    return 1 if broken or missing else 0


if __name__ == "__main__":
    sys.exit(main())
