"""AWS as far as a benchmark needs it: the emulators' answers, over TLS, each after the same delay, at next to no cost.

What is asked for the first time goes through to the gateway; from then on the same answer is given from memory, so that neither the
emulators' slowness nor their state is measured. The datapoints of GetMetricData move along with the window that is asked for. Each
service has an address of its own, as on AWS: connections are not shared between services.
"""

import json
import ssl
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import cbor2

from ..emulators import Emulators, _installed
from ..gateway import Call, _Handler, _identify
from ..server import Server
from .rounds import Timed

SERVICES = ("SAGEMAKER", "CLOUDWATCH", "APPLICATION_AUTO_SCALING", "SCHEDULER", "SNS", "SQS", "PRICING")
_WINDOW = ("StartTime", "EndTime")
_MINUTE = timedelta(minutes=1)


@dataclass
class _Answer:
    status: int
    headers: dict
    body: bytes


class _Metrics:
    """An answer of GetMetricData, for any end of its window; in CBOR, as the Rust SDK asks for it, or in JSON, as boto3 does."""

    def __init__(self, answer: _Answer, end: datetime):
        self._answer, self._end = answer, end
        self._is_json = "json" in answer.headers.get("Content-Type", "")
        self._decoded = json.loads(answer.body) if self._is_json else cbor2.loads(answer.body)
        self._encoded = {end: answer.body}

    def until(self, end: datetime) -> _Answer:
        if end not in self._encoded:
            later = end - self._end
            by = later.total_seconds() if self._is_json else later
            moved = [result | {"Timestamps": [at + by for at in result["Timestamps"]]} for result in self._decoded["MetricDataResults"]]
            answer = self._decoded | {"MetricDataResults": moved}
            body = json.dumps(answer).encode() if self._is_json else cbor2.dumps(answer, datetime_as_timestamp=True, timezone=timezone.utc)
            self._encoded = {known: kept for known, kept in self._encoded.items() if known >= end - 2 * _MINUTE} | {end: body}
        return _Answer(self._answer.status, self._answer.headers, self._encoded[end])


class Recorder:
    def __init__(self, emulators: Emulators, folder: Path, delay_seconds: float):
        self.delay_seconds = delay_seconds
        self.calls: list[Timed] = []
        self.connections = 0
        self._gateway = emulators.gateway.url.removeprefix("http://")
        self._known: dict[str, _Answer | _Metrics] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        subprocess.run([_installed("moto", "python"), Path(__file__).parents[1] / "certificate.py", folder], check=True)
        self._authorities = folder / "authorities.pem"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        # As on AWS, where these services speak HTTP/1.1.
        context.set_alpn_protocols(["http/1.1"])
        recorder = self

        class Handler(_Handler):
            def parse_request(self) -> bool:
                self.began = time.perf_counter()
                return super().parse_request()

            def answer(self, body: bytes) -> None:
                recorder._answer(self, body)

        self._servers = {service: _Tls(Handler, service, context, self._connected) for service in SERVICES}

    def __enter__(self) -> "Recorder":
        for server in self._servers.values():
            server.start()
        return self

    def __exit__(self, *error) -> None:
        for server in self._servers.values():
            server.stop()

    def environment(self) -> dict[str, str]:
        """What leads a program here, beside what leads it to the gateway."""
        urls = {f"AWS_ENDPOINT_URL_{service}": f"https://{server.address}" for service, server in self._servers.items()}
        return urls | {"SSL_CERT_FILE": str(self._authorities), "AWS_CA_BUNDLE": str(self._authorities)}

    def forget(self) -> None:
        """What was recorded; the answers stay."""
        self.calls, self.connections = [], 0

    def prepare(self) -> None:
        """Moves the datapoints to this minute and the next, so that no run waits for it."""
        now = datetime.now(timezone.utc).replace(second=0, microsecond=0)
        for known in list(self._known.values()):
            if isinstance(known, _Metrics):
                known.until(now), known.until(now + _MINUTE)

    def _connected(self) -> None:
        self.connections += 1

    def _answer(self, request: _Handler, body: bytes) -> None:
        call = _identify(request, body)
        if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
            call.body = cbor2.loads(body)
        answer = self._answer_to(request, call, body)
        time.sleep(max(0.0, request.began + self.delay_seconds - time.perf_counter()))
        request.send(answer.status, answer.headers, answer.body)
        with self._lock:
            self.calls.append(Timed(call.service, call.operation, request.began, time.perf_counter(), len(answer.body)))

    def _answer_to(self, request: _Handler, call: Call, body: bytes) -> _Answer:
        end = [call.body.pop(name, None) for name in _WINDOW][1]
        if isinstance(end, (int, float)):
            end = datetime.fromtimestamp(end, timezone.utc)
        # What writes differs from time to time, and its answer does not.
        asked = call.body if call.operation.startswith(("Describe", "List", "Get")) else {}
        key = f"{call.service} {call.operation} {json.dumps(asked, sort_keys=True, default=str)}"
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            known = self._known.get(key)
            if known is None:
                answer = _Answer(*request.forward(self._gateway, body))
                if answer.status >= 500:
                    return answer
                is_of_metrics = answer.status == 200 and call.operation == "GetMetricData"
                known = self._known[key] = _Metrics(answer, end) if is_of_metrics else answer
        return known.until(end) if isinstance(known, _Metrics) else known


class _Tls(Server):
    def __init__(self, handler, name: str, context: ssl.SSLContext, connected):
        super().__init__(handler, name)
        self._context, self._connected = context, connected

    def get_request(self):
        connection, address = super().get_request()
        self._connected()
        # The handshake is made where the first byte is read: in the connection's own thread.
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address) -> None:
        # Programs end in the middle of a connection.
        if not isinstance(sys.exception(), ssl.SSLError):
            super().handle_error(request, client_address)
