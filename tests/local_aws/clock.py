"""A clock that stands where a test puts it, for a function that runs under libfaketime.

libfaketime takes the place of the C library's clock, which a Rust program reads too. It looks into a file at every
reading, so the time of a running process can be moved. The clock stands still in between: a run takes no time, and a test
always sees the same minutes. Only the wall clock is moved: timeouts and retries go by the monotonic clock, which is real.
"""

import importlib.util
import platform
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

_LIBRARY = "vendor/libfaketime/src/libfaketime.so.1"


class Clock:
    """`file` is where the time is kept; the folder has to exist."""

    def __init__(self, file: Path, now: datetime):
        self._file = file
        self.set(now)

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        """To this second. Backwards too, but give a warm process no reason to wonder."""
        self._now = now.astimezone(timezone.utc).replace(microsecond=0)
        # In one step: a function that reads half a line would see no time at all.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(self._now.strftime("%Y-%m-%d %H:%M:%S\n"))
        fresh.replace(self._file)

    def forward(self, **by: float) -> datetime:
        """`clock.forward(minutes=15)`"""
        self.set(self._now + timedelta(**by))
        return self._now

    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to live by this clock."""
        return {"LD_PRELOAD": str(_library()), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}


def _library() -> Path:
    # The wheel calls itself fit for any machine. Elsewhere the loader would pass it over, and the time would be the real one.
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise RuntimeError("a fake clock needs Linux on x86_64: the wheel of libfaketime holds no other library")
    # Found without importing the package: its import wants to be the program under the fake clock.
    package = importlib.util.find_spec("libfaketime")
    if package is None or package.origin is None:
        raise FileNotFoundError("libfaketime is missing: run tests/requirements/install.sh")
    return Path(package.origin).parent / _LIBRARY
