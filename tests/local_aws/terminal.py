"""Plain lines on the terminal; colour and a moving progress line only where somebody watches."""

import contextlib
import os
import sys
import textwrap
import threading
import time

_WATCHED = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and "NO_COLOR" not in os.environ
_BOLD, _DIM, _GREEN, _RED = "1", "2", "32", "31"


def heading(number: int, text: str) -> None:
    print(f"\n{_paint(_BOLD, f'{number}. {text}')}", flush=True)


def line(text: str = "") -> None:
    print(_fill(text, "   ", "     "), flush=True)


def note(text: str) -> None:
    """Something about the stage, not the play."""
    print(_paint(_DIM, _fill(text + ")", "   (", "    ")), flush=True)


def quote(text: str) -> None:
    """Text as somebody received it."""
    for quoted in text.strip("\n").splitlines():
        print(f"   {_paint(_DIM, '|')} {quoted}", flush=True)


def verdict(good: bool, text: str) -> None:
    print(f"   {_paint(_GREEN, 'ok  ') if good else _paint(_RED, 'FAIL')} {text}", flush=True)


@contextlib.contextmanager
def progress(text: str):
    """Says what is going on, and how long it has been."""
    began, done = time.monotonic(), threading.Event()

    def tick() -> None:
        while not done.wait(0.25):
            print(f"\r   {text} … {time.monotonic() - began:.0f} s", end="", flush=True)

    ticker = threading.Thread(target=tick, daemon=True)
    if _WATCHED:
        ticker.start()
    else:
        print(f"   {text} …", flush=True)
    try:
        yield
    finally:
        done.set()
        if _WATCHED:
            ticker.join()
            print("\r\x1b[K", end="")
    if _WATCHED:
        print(f"   {text}: {time.monotonic() - began:.1f} s", flush=True)


def _fill(text: str, first: str, then: str) -> str:
    return textwrap.fill(text, 110, initial_indent=first, subsequent_indent=then, break_long_words=False, break_on_hyphens=False)


def _paint(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if _WATCHED else text
