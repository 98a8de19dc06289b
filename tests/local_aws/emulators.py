"""Starts ministack, moto and the gateway on free loopback ports, and stops them whatever happens."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

from .binaries import CHECKOUT
from .gateway import OWN_METRICS, Gateway

ACCOUNT = "111122223333"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}

MOTO_SERVICES = {"sagemaker", "application-autoscaling"}

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Emulators:
    """A context manager. Harness calls (`client`) go straight to the emulators; the product's go through `gateway`, so
    that what the gateway has recorded is exactly what the product did."""

    def __enter__(self) -> "Emulators":
        self._clients: dict = {}
        with contextlib.ExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="endpoint-advisor-"))
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.ministack_url = f"http://127.0.0.1:{_free_port()}"
            self.moto_url = f"http://127.0.0.1:{_free_port()}"
            self.gateway = stack.enter_context(Gateway({"": self.ministack_url} | dict.fromkeys(MOTO_SERVICES, self.moto_url)))
            stack.enter_context(self._moto())
            stack.enter_context(self._ministack())
            _await(f"{self.moto_url}/moto-api/", self.folder / "moto.log")
            _await(f"{self.ministack_url}/_ministack/ready", self.folder / "ministack.log")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        self._stack.close()

    def client(self, service: str, region: str = REGION):
        """A boto3 client of the harness, past the gateway; each is made once, which takes longer than most calls."""
        if client := self._clients.get((service, region)):
            return client
        url = self.moto_url if service in MOTO_SERVICES else self.ministack_url
        config = Config(retries={"max_attempts": 1}, disable_request_compression=True, parameter_validation=False)
        self._clients[service, region] = boto3.client(service, endpoint_url=url, region_name=region, aws_access_key_id="test",
                                                      aws_secret_access_key="test", config=config)
        return self._clients[service, region]

    def environment(self, metrics: str | None = None) -> dict[str, str]:
        """What a program needs in its environment to take the gateway for AWS; `metrics`: the name of
        a CloudWatch of its own (see `Gateway`)."""
        return CREDENTIALS | ({"AWS_ACCESS_KEY_ID": OWN_METRICS + metrics} if metrics else {}) | {
            "AWS_ENDPOINT_URL": self.gateway.url, "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1"}

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _ministack(self):
        # Functions inherit this environment, so AWS_ENDPOINT_URL leads them to the gateway too.
        return self._program("ministack", [_installed("ministack", "ministack")], self.environment() | {
            "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": self.ministack_url.rsplit(":", 1)[1],
            "MINISTACK_ACCOUNT_ID": ACCOUNT, "MINISTACK_REGION": REGION, "LOG_LEVEL": "INFO"})

    def _moto(self):
        return self._program("moto", [_installed("moto", "moto_server"), "-H", "127.0.0.1", "-p", self.moto_url.rsplit(":", 1)[1]],
                             CREDENTIALS | {"MOTO_ACCOUNT_ID": ACCOUNT})

    @contextlib.contextmanager
    def _program(self, name: str, command: list[str], environment: dict[str, str]):
        with open(self.folder / f"{name}.log", "wb") as log:
            # A group of its own: Ctrl-C reaches only us, and stopping the group also stops the functions it runs.
            program = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.folder,
                                       env=_plain_environment() | environment | {"TMPDIR": str(self.folder)},
                                       start_new_session=True, preexec_fn=_die_with_parent)
        try:
            yield program
        finally:
            _stop(program)


def _installed(venv: str, command: str) -> str:
    path = CHECKOUT / ".venv" / venv / "bin" / command
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run tests/requirements/install.sh")
    return str(path)


def _plain_environment() -> dict[str, str]:
    """Ours without settings that would lead a program to the real AWS."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _die_with_parent() -> None:
    # Runs in the child before exec. Covers the parent being killed outright, when nothing of ours can clean up.
    if _libc:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop(program: subprocess.Popen) -> None:
    for stop_signal in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(timeout=3)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _await(url: str, log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, urllib.error.URLError):
            with urllib.request.urlopen(url, timeout=2):
                return
        time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {seconds:.0f} s; its log ends:\n{log.read_text(errors='replace')[-2000:]}")
