"""Which calls waited for which: rounds, from when each call began and ended."""

from .recorder import Timed


def rounds(calls: list[Timed]) -> list[list[Timed]]:
    """A call is in the round after the last that had ended when it began. With a delay that is much longer than what a program
    reckons in between, the number of rounds is the length of the longest chain of calls, each of which began after the one before
    it had ended."""
    placed: list[list[Timed]] = []
    for call in sorted(calls, key=lambda call: call.began):
        before = [number for number, earlier in enumerate(placed) if any(other.ended <= call.began for other in earlier)]
        number = max(before, default=-1) + 1
        if number == len(placed):
            placed.append([])
        placed[number].append(call)
    return placed
