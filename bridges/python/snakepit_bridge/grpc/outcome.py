"""How calls end."""

from grpc import StatusCode

from ..errors import CANCELLED, FRAME_TOO_LARGE, INVALID_ARGUMENTS, INVALID_RESULT, REMOTE_ERROR, UNKNOWN_COMMAND
from ..errors import Cancelled, error_map, refusal_map, shorten
from .generated.worker_pb2 import Body, Failure
from .values import TAGGED

FAILURE_KEY = "snakepit-failure-bin"

_CALL_TIMEOUT = "CALL_TIMEOUT"
_MAX_METADATA_BYTES = 4096
_MAX_MESSAGE_BYTES = 1024
_NUMBERS_BYTES = 12  # what the service time and the notices may add
_STATUSES = {
    CANCELLED: StatusCode.CANCELLED,
    REMOTE_ERROR: StatusCode.UNKNOWN,
    INVALID_ARGUMENTS: StatusCode.INVALID_ARGUMENT,
    _CALL_TIMEOUT: StatusCode.DEADLINE_EXCEEDED,
    FRAME_TOO_LARGE: StatusCode.RESOURCE_EXHAUSTED,
    UNKNOWN_COMMAND: StatusCode.UNIMPLEMENTED,
    INVALID_RESULT: StatusCode.INTERNAL,
}


class Outcome:
    """A result, encoded as `(flags, bytes)`, the end of a stream (None), or a Failure; `notices` is set when the call ends."""

    __slots__ = ("encoded", "failure", "service_us", "notices")

    def __init__(self, seconds, encoded=None, failure=None):
        self.encoded = encoded
        self.failure = failure
        self.service_us = int(seconds * 1e6)
        self.notices = 0


# The worker ends and will never run, or finish, the command.
ABANDONED = Outcome(0.0, failure=Failure())


def failure_of(error, encoder, max_frame_bytes):
    """What an exception amounts to, as a Failure whose data is encoded by `encoder`."""
    described = error_map(error)
    failure = _to_failure(described, encoder.encode_data(error))
    if failure.ByteSize() > max_frame_bytes:
        return _to_failure(shorten(described), None)
    return failure


def refusal(code, message, started=None):
    """A Failure of this package's own making."""
    return _to_failure(refusal_map(code, message, started), None)


def failure_facts(outcome):
    """What a span is told of a failure: its type and its message, or that the call was cancelled; None where there is none."""
    failure = outcome.failure
    if failure is None:
        return None
    if failure.code == CANCELLED:
        return Cancelled(failure.message)
    return failure.type or failure.code, failure.message


def fits_metadata(failure):
    """Tell whether trailing metadata has room for a whole Failure."""
    return failure.ByteSize() + _NUMBERS_BYTES <= _MAX_METADATA_BYTES


def abridge(failure):
    """What metadata has room for."""
    short = Failure(code=failure.code, message=cut(failure.message), abridged=True)
    if failure.HasField("started"):
        short.started = failure.started
    return short


async def abort(context, outcome):
    """End an RPC by a failure. Raises what ends the handler."""
    failure = outcome.failure
    if outcome is ABANDONED:
        await context.abort(StatusCode.UNAVAILABLE, "the worker has ended")
    failure.service_us, failure.notices = outcome.service_us, outcome.notices
    status = _STATUSES.get(failure.code, StatusCode.UNKNOWN)
    await context.abort(status, cut(failure.message), ((FAILURE_KEY, failure.SerializeToString()),))


def cut(message):
    """A message that is not too long for a status; no character is cut in two."""
    data = message.encode("utf-8")
    return message if len(data) <= _MAX_MESSAGE_BYTES else data[:_MAX_MESSAGE_BYTES].decode("utf-8", "ignore")


def _to_failure(described, data):
    failure = Failure(
        code=described["code"],
        message=described["message"],
        type=described.get("type", ""),
        traceback=described.get("traceback", ""),
        started=described.get("started"),
    )
    if data is not None:
        flags, body = data
        failure.data.CopyFrom(Body(data=body, tagged=bool(flags & TAGGED)))
    return failure
