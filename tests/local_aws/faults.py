"""What can become of a call: AWS refuses it, the network loses it, or the answer is of no use.

Where an answer is lost, a write has been executed all the same: that is the case which hurts. What AWS refuses is not executed.
"""

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

_SKEW = timedelta(hours=6)
_TOLERATED = timedelta(minutes=5)  # as AWS tolerates it
_PATIENCE = 120.0  # seconds that nobody waits for an answer
_DRIP_SECONDS = 0.5  # between two bytes

_ACTION_OF = {"monitoring": "cloudwatch"}  # a service's name in a signature, and in IAM


@dataclass
class Fault:
    """Meets every call of an operation."""

    operation: str
    kind: str
    now: Callable[[], datetime]  # the caller's clock
    only: Callable[[bytes], bool] = lambda body: True  # the calls that it meets, by their bodies

    def meet(self, request, call, execute: Callable[[], tuple[int, dict, bytes]]) -> None:
        KINDS[self.kind](self, request, call, execute)


def action(call) -> str:
    """The operation as IAM spells it."""
    name = {"SendMessageBatch": "SendMessage"}.get(call.operation, call.operation)
    return f"{_ACTION_OF.get(call.service, call.service)}:{name}"


def _throttle(fault, request, call, execute):
    request.refuse(call, 429 if call.service == "scheduler" else 400, "ThrottlingException", "Rate exceeded")


def _internal_error(fault, request, call, execute):
    request.refuse(call, 500, "InternalFailure", "The request processing has failed because of an unknown error")


def _unavailable(fault, request, call, execute):
    """From a load balancer, which knows nothing of the protocol."""
    request.send(503, {"Content-Type": "text/html"}, b"<html><body>503 Service Temporarily Unavailable</body></html>")


def _denied(fault, request, call, execute):
    code = "AuthorizationError" if call.service == "sns" else "AccessDeniedException"
    request.refuse(call, 403 if call.service in ("sns", "scheduler") else 400, code,
                   f"User: arn:aws:sts::111122223333:assumed-role/advisor/advisor is not authorized to perform: {action(call)}")


def _invalid(fault, request, call, execute):
    code = "InvalidParameter" if call.service == "sns" else "ValidationException"
    request.refuse(call, 400, code, "1 validation error detected: Value at 'x' failed to satisfy constraint")


def _timeout(fault, request, call, execute):
    _lost(call, execute)
    request.wait_for_hang_up(_PATIENCE)


def _reset(fault, request, call, execute):
    _lost(call, execute)
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.hang_up()
    request.connection.close()


def _truncated(fault, request, call, execute):
    call.status, headers, body = execute()
    request.head(call.status, headers, length=len(body) + 1)
    request.wfile.write(body[: len(body) // 2])
    request.hang_up()


def _empty(fault, request, call, execute):
    call.status, headers, _ = execute()
    if request.headers.get("smithy-protocol"):
        body = b"\xa0"
    elif call.service == "sns":
        body = f"<{call.operation}Response><{call.operation}Result></{call.operation}Result></{call.operation}Response>".encode()
    else:
        body = b"{}"
    request.send(call.status, headers, body)


def _drip(fault, request, call, execute):
    """A byte from time to time: never silent for long, and never done."""
    call.status, headers, body = execute()
    request.head(call.status, headers, length=len(body) + 10_000)
    end = time.monotonic() + _PATIENCE
    for byte in body + b" " * 10_000:
        if time.monotonic() > end or request.has_hung_up(_DRIP_SECONDS):
            break
        request.wfile.write(bytes([byte]))
        request.wfile.flush()
    request.hang_up()


def _skew(fault, request, call, execute):
    """AWS's clock is hours ahead of the caller's: whatever is signed by another time is refused, with the right one beside it."""
    right = fault.now() + _SKEW
    request.date = format_datetime(right, usegmt=True)
    signed = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    if abs(signed - right) > _TOLERATED:
        code = "SignatureDoesNotMatch" if call.service == "sns" else "InvalidSignatureException"
        request.refuse(call, 403 if call.service in ("sns", "scheduler") else 400, code,
                       f"Signature expired: {signed:%Y%m%dT%H%M%SZ} is now earlier than {right - _TOLERATED:%Y%m%dT%H%M%SZ} (15 min.)")
    else:
        call.status, headers, body = execute()
        request.send(call.status, headers, body)


def _lost(call, execute):
    if call.is_write():
        call.status, _, _ = execute()


KINDS = {"throttle": _throttle, "500": _internal_error, "503": _unavailable, "denied": _denied, "invalid": _invalid, "timeout": _timeout,
         "reset": _reset, "truncated": _truncated, "empty": _empty, "drip": _drip, "skew": _skew}
