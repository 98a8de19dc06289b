"""Kills a process at one of its calls, where it hurts most: between what it has done and what it knows of it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Cut:
    """At the process's call number `at`, counted from 1 since the gateway was reset: `after` the emulator has executed the
    call but before the answer arrives, or before the call reaches the emulator. Nothing that the dead process still had on
    the wire gets through."""

    at: int
    after: bool
    kill: Callable[[], None]
    fired: bool = False

    def fire(self) -> None:
        self.fired = True
        self.kill()
