"""A pass-through in front of the emulators: forwards every call, records it, and answers the few that moto cannot.

- Application Auto Scaling, where moto has gaps or refuses a dimension: see `auto_scaling_gaps` and `scalable_dimensions`.
- Inference components: see `components`.
- `DescribeScalingPolicies`: moto's answer, with the alarms that fire step policies.
- `DescribeEndpoint`: moto's answer, with `EndpointStatus` from `endpoint_status` where a test asks for another. (moto
  reports `InService` at once and has no way to hold an endpoint in `Updating`.)
- `DescribeEndpoint`, `DescribeEndpointConfig`, `DescribeModel`: the fields in `described` in place of moto's. (moto knows no
  shadow variants, instance pools, explainers, metrics configuration and no mode of several containers.)
- `DescribeEndpoint`: `AsyncInferenceConfig` from `asynchronous`: moto takes it with the configuration and does not tell it of the endpoint.
- `DescribeScalingPolicies`: moto's answer, where `Alarms` is always empty, with those of `policy_alarms`, by the policy's ARN.
- CloudWatch: a program whose access key is `own-NAME` has metrics and alarms of its own, in the emulator's Region NAME.
  ministack walks through all metrics of a Region at each call, so it slows down as tests add theirs.
- CloudWatch: where `twins` is set, a prefix and a name, all endpoints `PREFIX-NNNN` are the one of that name, and so are their alarms.
- Prices: see `pricing`.
- Whatever `faults` names: a throttled or a denied call. `disturbance`: a fault of any kind, see `faults.Fault`.
- `GetMetricData`: an answer that was given before, where `remembers_metrics`: in a past that stays, minutes do not change.
- `cut`: kills the process that calls, at a call of the test's choice.
- E-mail: `emails` holds what SNS would have mailed. ministack accepts an e-mail subscription and delivers nothing.
"""

import http.client
import http.server
import json
import re
import socket
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

import boto3
from botocore.parsers import RpcV2CBORParser

from . import pricing, scalable_dimensions
from .auto_scaling_gaps import AutoScalingGaps
from .components import Components
from .cut import Cut
from .server import Server

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
_READS = ("Describe", "List", "Get")
_AUTO_SCALING = "application-autoscaling"
_CREDENTIAL = re.compile(r"Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/")
OWN_METRICS = "own-"


@dataclass
class Call:
    """One call of the product."""

    service: str  # the name in the request's signature: `monitoring` is CloudWatch
    operation: str
    body: dict = field(default_factory=dict)  # empty for what reads in CBOR
    status: int = 0

    def is_write(self) -> bool:
        return not self.operation.startswith(_READS)


@dataclass
class Fault:
    """Makes an operation fail, as often as `times` says (None: always)."""

    operation: str
    code: str
    message: str
    status: int = 400
    times: int | None = None


def throttled(operation: str, times: int | None = None) -> Fault:
    return Fault(operation, "ThrottlingException", "Rate exceeded", 400, times)


def denied(operation: str, action: str) -> Fault:
    return Fault(operation, "AccessDeniedException", "User: arn:aws:sts::111122223333:assumed-role/advisor/advisor is not "
                 f"authorized to perform: {action} because no identity-based policy allows the {action} action", 400)


class Gateway:
    """`routes` maps a service to an emulator's URL; the empty name is for all others."""

    def __init__(self, routes: dict[str, str]):
        self.routes = {service: urllib.parse.urlsplit(url).netloc for service, url in routes.items()}
        self.auto_scaling = AutoScalingGaps(self.routes.get(_AUTO_SCALING, self.routes[""]))
        self.components = Components()
        self._lock = threading.Lock()
        self.reset()
        gateway = self

        class Handler(_Handler):
            def answer(self, body: bytes) -> None:
                gateway._answer(self, body)

        self._server = Server(Handler, "gateway")
        self.url = f"http://{self._server.address}"

    def reset(self) -> None:
        """Forgets what was recorded and what tests asked for; the tags of scalable targets stay, as state does."""
        self.calls: list[Call] = []
        self.emails: list[dict] = []
        self.faults: list[Fault] = []
        self.endpoint_status: dict[str, str] = {}
        self.asynchronous: dict[str, dict] = {}
        self.described: dict[tuple[str, str], dict] = {}  # by operation and name: fields in AWS's shape
        self.policy_alarms: dict[str, list[dict]] = {}
        self.auto_scaling.activities = []
        self.cut: Cut | None = None
        self.twins: tuple[bytes, bytes] | None = None
        self.disturbance = None
        self.remembers_metrics = False
        self.now: Callable[[], datetime] | None = None  # the time on AWS's clock, where that is the clock of a test
        self._metrics: dict[tuple, tuple[int, dict, bytes]] = {}

    def __enter__(self) -> "Gateway":
        self._server.start()
        return self

    def __exit__(self, *error) -> None:
        self._server.stop()

    def operations(self, service: str | None = None) -> list[str]:
        return [call.operation for call in self.calls if service in (None, call.service)]

    def writes(self) -> list[Call]:
        """Calls that change something of somebody's: messages, and the schedules that remember incidents, aside."""
        return [call for call in self.calls if call.is_write() and call.operation != "Publish" and call.service != "scheduler"]

    def _answer(self, request: "_Handler", body: bytes) -> None:
        call = _identify(request, body)
        with self._lock:
            if self.cut and self.cut.fired:
                return request.hang_up()
            self.calls.append(call)
            cut = self.cut if self.cut and self.cut.at == len(self.calls) else None
            if cut and not cut.after:
                cut.fire()
                return request.hang_up()
            fault = next((fault for fault in self.faults if fault.operation == call.operation and fault.times != 0), None)
            if fault and fault.times:
                fault.times -= 1
        request.date = format_datetime(self.now(), usegmt=True) if self.now else ""
        if self.disturbance and self.disturbance.operation == call.operation and self.disturbance.only(body):
            return self.disturbance.meet(request, call, lambda: self._answered(request, call, fault, body))
        call.status, headers, answer = self._answered(request, call, fault, body)
        if cut:
            cut.fire()
            return request.hang_up()
        request.send(call.status, headers, answer)

    def _answered(self, request: "_Handler", call: Call, fault: Fault | None, body: bytes) -> tuple[int, dict, bytes]:
        if fault:
            return fault.status, *_error(request, call, fault)
        if self.remembers_metrics and call.operation == "GetMetricData":
            key = (request.headers.get("Authorization", "").split("/")[0], body)
            if key not in self._metrics:
                self._metrics[key] = self._forwarded(request, call, body)
            return self._metrics[key]
        own = None
        with self._lock:
            if call.service == _AUTO_SCALING:
                own = self.auto_scaling.answer(call.operation, call.body)
            elif call.service == "sagemaker":
                own = self.components.answer(call.operation, call.body)
            elif call.service == "pricing":
                own = 200, pricing.answer(call.body)
        if own:
            status, headers, answer = own[0], {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(own[1]).encode()
        else:
            status, headers, answer = self._forwarded(request, call, body)
            if status == 200:
                with self._lock:
                    answer = self._learn(call, answer)
        if status == 200 and call.operation == "DescribeScalingPolicies":
            answer = self._with_alarms(answer)
        return status, headers, answer

    def _forwarded(self, request: "_Handler", call: Call, body: bytes) -> tuple[int, dict, bytes]:
        address = self.routes.get(call.service, self.routes[""])
        if self.twins and call.service == "monitoring":
            prefix, name = self.twins  # of one length, so that CBOR's lengths stay true
            pattern = re.escape(prefix) + rb"-\d{4}"
            asked = re.search(pattern, body)
            status, headers, answer = request.forward(address, re.sub(pattern, name, body))
            return status, headers, answer.replace(name, asked[0]) if asked else answer
        dimension = call.body.get("ScalableDimension") if call.service == _AUTO_SCALING else None
        if not dimension:
            return request.forward(address, body)
        status, headers, answer = request.forward(address, scalable_dimensions.there(body.decode(), dimension).encode())
        return status, headers, scalable_dimensions.back(answer.decode(), dimension).encode()

    def _with_alarms(self, answer: bytes) -> bytes:
        """What AWS adds to a step policy: the alarms that fire it. (In moto `Alarms` is always empty.)"""
        answered = json.loads(answer)
        steps = [policy for policy in answered["ScalingPolicies"] if policy["PolicyType"] == "StepScaling"]
        if steps:
            cloudwatch = boto3.client("cloudwatch", endpoint_url=f"http://{self.routes['']}", region_name="us-east-1",
                                      aws_access_key_id="test", aws_secret_access_key="test")
            alarms = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm"], MaxRecords=100)["MetricAlarms"]
            for policy in steps:
                policy["Alarms"] = [{"AlarmName": alarm["AlarmName"], "AlarmARN": alarm["AlarmArn"]}
                                    for alarm in alarms if policy["PolicyARN"] in alarm["AlarmActions"]]
        return json.dumps(answered).encode()

    def _learn(self, call: Call, answer: bytes) -> bytes:
        """Takes note of what passes by; patches what the emulator cannot say."""
        if call.service == _AUTO_SCALING:
            self.auto_scaling.learn(call.operation, call.body, answer)
        if call.service == "sagemaker" and call.operation.startswith("DescribeEndpoint"):
            answer = json.dumps(self.components.changed(call.operation, call.body, json.loads(answer))).encode()
        match call.operation:
            case "DescribeEndpoint" | "DescribeEndpointConfig" | "DescribeModel":
                name = call.body.get(f"{call.operation.removeprefix('Describe')}Name", "")
                fields = dict(self.described.get((call.operation, name), {}))
                if call.operation == "DescribeEndpoint" and (status := self.endpoint_status.get(name)):
                    fields["EndpointStatus"] = status
                if call.operation == "DescribeEndpoint" and (config := self.asynchronous.get(name)):
                    fields["AsyncInferenceConfig"] = config
                return json.dumps(json.loads(answer) | fields).encode() if fields else answer
            case "DescribeScalingPolicies" if self.policy_alarms:
                told = json.loads(answer)
                for policy in told["ScalingPolicies"]:
                    policy["Alarms"] = self.policy_alarms.get(policy["PolicyARN"], [])
                return json.dumps(told).encode()
            case "Publish" if call.body.get("MessageStructure") == "json":
                message = json.loads(call.body["Message"])
                self.emails.append({"topic": call.body["TopicArn"], "subject": call.body.get("Subject", ""),
                                    "text": message.get("email", message["default"])})
        return answer


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    date = ""  # what it is, where that is not the time

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # the caller died while it was sending
            return self.hang_up()
        self.answer(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

    def forward(self, address: str, body: bytes) -> tuple[int, dict, bytes]:
        upstream = http.client.HTTPConnection(address, timeout=120)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            for name in headers:
                scope = _CREDENTIAL.search(headers[name]) if name.lower() == "authorization" else None
                if scope and scope[4] == "monitoring" and scope[1].startswith(OWN_METRICS):
                    region = scope[1].removeprefix(OWN_METRICS)
                    headers[name] = _CREDENTIAL.sub(rf"Credential=\1/\2/{region}/\4/", headers[name])
            upstream.request(self.command, self.path, body or None, headers)
            response = upstream.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            upstream.close()

    def hang_up(self) -> None:
        """No answer at all, as from a host that is gone."""
        self.close_connection = True

    def wait_for_hang_up(self, seconds: float) -> None:
        self.has_hung_up(seconds)
        self.hang_up()

    def has_hung_up(self, seconds: float) -> bool:
        """Whether the caller does, within so many seconds."""
        self.connection.settimeout(seconds)
        try:
            return self.connection.recv(1, socket.MSG_PEEK) == b""
        except TimeoutError:
            return False
        finally:
            self.connection.settimeout(None)

    def refuse(self, call: Call, status: int, code: str, message: str) -> None:
        """An error in the protocol of the call."""
        call.status = status
        self.send(status, *_error(self, call, Fault(call.operation, code, message)))

    def date_time_string(self, timestamp=None) -> str:
        return self.date or super().date_time_string(timestamp)

    def send(self, status: int, headers: dict, body: bytes) -> None:
        self.head(status, headers, len(body))
        self.wfile.write(body)

    def head(self, status: int, headers: dict, length: int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _HOP_BY_HOP and not (self.date and name.lower() == "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *arguments) -> None:
        pass


def _identify(request: _Handler, body: bytes) -> Call:
    """Service and operation, in each of AWS's protocols."""
    scope = _CREDENTIAL.search(request.headers.get("Authorization", ""))
    service = scope[4] if scope else ""
    if target := request.headers.get("X-Amz-Target"):  # JSON 1.0 and 1.1
        return Call(service, target.rsplit(".", 1)[1], json.loads(body or b"{}"))
    if rpc := re.fullmatch(r"/service/[^/]+/operation/([^/]+)", request.path):  # Smithy RPC with CBOR
        call = Call(service, rpc.group(1))
        if call.is_write():
            parser = RpcV2CBORParser()
            call.body = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))
        return call
    if request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):  # query
        form = dict(urllib.parse.parse_qsl(body.decode()))
        return Call(service, form.pop("Action", ""), form)
    # REST. Only Scheduler speaks it here: one kind of resource, whose name ends the path.
    url = urllib.parse.urlsplit(request.path)
    verb = {"GET": "Get", "POST": "Create", "PUT": "Update", "DELETE": "Delete"}.get(request.command, request.command)
    asked = dict(urllib.parse.parse_qsl(url.query)) | {"Name": url.path.rsplit("/", 1)[1]} | json.loads(body or b"{}")
    return Call(service, f"{verb}Schedule" if url.path.startswith("/schedules/") else f"{request.command} {url.path}", asked)


def _error(request: _Handler, call: Call, fault: Fault) -> tuple[dict, bytes]:
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return ({"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"},
                b"\xa2" + b"".join(_cbor_text(text) for text in ("__type", fault.code, "message", fault.message)))
    if request.headers.get("X-Amz-Target"):
        return ({"Content-Type": "application/x-amz-json-1.1"},
                json.dumps({"__type": fault.code, "message": fault.message}).encode())
    if call.service == "scheduler":
        return {"Content-Type": "application/json", "x-amzn-errortype": fault.code}, json.dumps({"Message": fault.message}).encode()
    return ({"Content-Type": "text/xml"},
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>"
            "<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>".encode())


def _cbor_text(text: str) -> bytes:
    return b"\x79" + len(text.encode()).to_bytes(2, "big") + text.encode()
