#!/usr/bin/env python3
"""Runs every check, each whatever became of the one before, and ends with one line: `N passed, N failed`.

cargo test and pytest count their tests; any other step counts as one. Standard library only: it runs before anything is
installed.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
TOOLS = CHECKOUT / ".venv" / "tools" / "bin"
PACKAGE = CHECKOUT / ".venv" / "package" / "bin"

STEPS = [
    ("format", ["cargo", "fmt", "--all", "--check"], {}),
    ("lint", ["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], {}),
    ("documentation", ["cargo", "doc", "--no-deps", "--package", "endpoint-advisor"], {"RUSTDOCFLAGS": "-D warnings"}),
    ("build", ["make", "--no-print-directory", "build"], {}),
    ("Rust tests", ["cargo", "test", "--workspace", "--no-fail-fast"], {}),
    ("decisions", ["cargo", "test", "--bench", "decisions", "--", "--smoke"], {}),
    ("policies", ["cargo", "test", "--bench", "policies", "--", "--smoke"], {}),
    ("core benches", ["cargo", "test", "--bench", "core", "--", "--test"], {}),
    ("Python tools", ["make", "--no-print-directory", "tools"], {}),
    ("function beside others", ["make", "--no-print-directory", "bench-lambda", "ARGUMENTS=--smoke"], {}),
    ("template", [TOOLS / "python", "-m", "pytest", "tests/template"], {}),
    ("end to end", [TOOLS / "python", "-m", "pytest", "tests/end_to_end"], {}),
]
# The pages in a real browser, where one is installed: none comes through a package manager of this project.
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
BROWSER = [
    ("browser tools", ["tests/requirements/install.sh", "browser"], {}),
    ("browser", [CHECKOUT / ".venv" / "browser" / "bin" / "python", "-m", "pytest", "tests/browser"], {}),
]
# libFuzzer is C++.
FUZZ = [("fuzz", ["make", "--no-print-directory", "fuzz"], {})]
# Needs cargo-deny (`cargo install cargo-deny`). The package takes many minutes and about 6 GB: the SageMaker SDK with
# link-time optimisation.
FULL = [
    ("dependencies", ["cargo", "deny", "check", "bans", "licenses", "sources"], {}),
    ("package tools", ["tests/requirements/install.sh", "package"], {}),
    ("package", [TOOLS / "sam", "build", "--parameter-overrides", "Architecture=x86_64"],
     {"PATH": f"{PACKAGE}{os.pathsep}{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0", "SAM_CLI_BETA_RUST_CARGO_LAMBDA": "1"}),
]

_CARGO_RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed;")
_PYTEST_RESULT = re.compile(r"^=* ?(?:\d+ \w+, )*\d+ \w+ in [\d.]+s")


def run(name: str, command: list, settings: dict[str, str]) -> tuple[int, int]:
    """Passed and failed of one step; its output goes through to the terminal."""
    print(f"\n── {name}: {' '.join(map(str, command))}", flush=True)
    passed = failed = 0
    try:
        step = subprocess.Popen(list(map(str, command)), cwd=CHECKOUT, env=os.environ | settings, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, errors="replace")
    except FileNotFoundError as error:
        print(f"{error.filename} is missing: install it, or see the step before")
        return 0, 1
    for line in step.stdout:
        print(line, end="", flush=True)
        plain = re.sub(r"\x1b\[[\d;]*m", "", line)
        if result := _CARGO_RESULT.match(plain):
            passed, failed = passed + int(result[1]), failed + int(result[2])
        elif _PYTEST_RESULT.match(plain):
            counts = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", plain.split(" in ")[0])}
            passed += counts.get("passed", 0)
            # A skipped test has not held anything: it fails here, so that no missing tool goes unnoticed.
            failed += sum(counts.get(word, 0) for word in ("failed", "error", "errors", "skipped"))
    if step.wait() and not failed:
        failed = 1  # it broke before it could count, or does not count at all
    return (passed, failed) if passed or failed else (1, 0)


def main() -> int:
    has_browser = any(map(shutil.which, BROWSERS))
    can_fuzz = shutil.which("c++") is not None
    steps = STEPS + (FUZZ if can_fuzz else []) + (BROWSER if has_browser else []) + (FULL if "--full" in sys.argv[1:] else [])
    results = {name: run(name, command, settings) for name, command, settings in steps}
    if broken := [name for name, (_, failed) in results.items() if failed]:
        print(f"\nfailed: {', '.join(broken)}")
    if not has_browser:
        print("\nno Chromium here: the HTML report was not looked at (apt-get install chromium)")
    if not can_fuzz:
        print("\nno C++ compiler here: nothing was fuzzed (apt-get install g++)")
    passed, failed = (sum(counts) for counts in zip(*results.values()))
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
