"""Calls by the time: which began when which had ended."""

from dataclasses import dataclass


@dataclass
class Timed:
    """One call as the recorder saw it, by `time.perf_counter`."""

    service: str
    operation: str
    began: float  # the request was there
    ended: float  # the answer was sent
    bytes: int  # of the answer's body

    def is_read(self) -> bool:
        return self.operation.startswith(("Describe", "List", "Get"))


def rounds(calls: list[Timed]) -> list[list[Timed]]:
    """A call is in the round after the last in which a call had ended when it began. So the number of rounds is the length of the
    longest chain of calls, each of which began after the one before it had ended: where the delay of a call is longer than what a
    program reckons in between, the chain of calls that wait for each other; else more than that, never less."""
    placed: list[list[Timed]] = []
    for call in sorted(calls, key=lambda call: call.began):
        before = [number for number, earlier in enumerate(placed) if any(other.ended <= call.began for other in earlier)]
        number = max(before, default=-1) + 1
        if number == len(placed):
            placed.append([])
        placed[number].append(call)
    return placed
