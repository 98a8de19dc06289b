"""The Lambda Runtime API around the real `bootstrap`: the fast way to invoke it, without a deployment."""

import contextlib
import http.server
import json
import os
import queue
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from .binaries import binary
from .clock import Clock
from .cut import Cut
from .emulators import ACCOUNT, REGION, Emulators
from .server import Server

NAME = "endpoint-advisor"
MEMORY_MB = 768
TIMEOUT_SECONDS = 120


class FunctionError(Exception):
    """The function answered an invocation with an error."""

    def __init__(self, body: dict):
        super().__init__(f"{body.get('errorType')}: {body.get('errorMessage')}")
        self.type = body.get("errorType")
        self.message = body.get("errorMessage", "")


class Died(Exception):
    """The process ended before it answered."""


class Function:
    """One execution environment, kept warm: one process, one invocation after another. `settings` are the function's own
    environment variables; with a `clock`, its time is the clock's; `metrics` as in `Emulators.environment`; `timeout`: the seconds that
    an invocation may take; `command`: what runs in place of our binary."""

    def __init__(self, emulators: Emulators, settings: dict[str, str], clock: Clock | None = None, metrics: str | None = None,
                 timeout: int = TIMEOUT_SECONDS, command: list | None = None):
        self._gateway = emulators.gateway
        self._command = command
        self._clock = clock
        self._timeout = timeout
        self._environment = emulators.environment(metrics) | settings | (clock.environment() if clock else {}) | {
            "AWS_LAMBDA_FUNCTION_NAME": NAME, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB), "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{NAME}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "_HANDLER": "bootstrap",
            "PATH": os.environ["PATH"]}

    def __enter__(self) -> "Function":
        self._log = tempfile.TemporaryFile("w+")
        self.start()
        return self

    def __exit__(self, *error) -> None:
        self.stop()
        self._log.close()

    def start(self) -> None:
        """A new execution environment, as after a crash; the log goes on."""
        self._events: queue.Queue = queue.Queue()
        self._answers: queue.Queue = queue.Queue()
        self.polls: queue.Queue[float] = queue.Queue()  # when it asked for an event, by `time.perf_counter`
        deadline = lambda: self._now() + self._timeout
        self._server = Server(_handler(self._events, self._answers, self.polls, deadline), "runtime-api")
        self._server.start()
        self._process = subprocess.Popen(self._command or [binary("bootstrap")], env=self._environment | {"AWS_LAMBDA_RUNTIME_API": self._server.address},
                                         stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT)

    def stop(self) -> None:
        self.kill()
        self._server.stop()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def invoke(self, event) -> dict:
        """The function's response; its error as `FunctionError`."""
        self._events.put(json.dumps(event).encode())
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                ok, body = self._answers.get(timeout=0.2)
                if ok:
                    return body
                raise FunctionError(body)
            if self._process.poll() is not None and self._answers.empty():
                raise Died(f"the function exited with {self._process.returncode}; its log ends:\n{self.log()[-3000:]}")
        raise TimeoutError(f"no answer within {self._timeout} s; the function's log ends:\n{self.log()[-3000:]}")

    def invoke_cut(self, event, at: int, after: bool) -> str:
        """Invokes, kills the process at its call number `at` (see `Cut`), and starts a new one. Says which call it was."""
        self._gateway.calls.clear()
        self._gateway.cut = cut = Cut(at, after, self.kill)
        try:
            with contextlib.suppress(Died):
                self.invoke(event)
            if not cut.fired:
                raise AssertionError(f"the run made {len(self._gateway.calls)} calls, so it could not be cut at call {at}: "
                                     f"{self._gateway.operations()}")
            return self._gateway.calls[at - 1].operation
        finally:
            self.stop()
            self._gateway.cut = None
            self.start()

    def log(self) -> str:
        """What the function has printed so far."""
        return os.pread(self._log.fileno(), 1 << 24, 0).decode(errors="replace")

    def _now(self) -> float:
        return self._clock.now().timestamp() if self._clock else time.time()

    @property
    def pid(self) -> int:
        return self._process.pid

    def peak_memory_mb(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def _handler(events: queue.Queue, answers: queue.Queue, polls: queue.Queue, deadline):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # /2018-06-01/runtime/invocation/next, a long poll as on Lambda
            polls.put(time.perf_counter())
            event = events.get()
            self._send(200, event, {
                "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
                "Lambda-Runtime-Deadline-Ms": str(int(deadline() * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}",
                "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
            answers.put((self.path.endswith("/response"), body))  # else …/error or /runtime/init/error
            self._send(202, b'{"status":"OK"}', {})

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments) -> None:
            pass

    return Handler
