"""The hellos at the beginning of a control stream."""

import json
import os

from ..codec import select_codec
from ..command import STREAM
from ..errors import StartupError
from ..process import stack_signal
from ..v2.hello import describe_runtime
from ..version import __version__
from .generated.worker_pb2 import COMMAND_KIND_CALL, COMMAND_KIND_STREAM, Batch, Command, Software, WorkerHello
from .values import Values

_PROTOCOL = 2
_DEFAULT_CREDIT = 64


class Limits:
    """What this worker takes at most, whatever a host allows."""

    def __init__(self, max_frame_bytes=64 * 1024 * 1024, max_depth=64):
        self.max_frame_bytes = max_frame_bytes
        self.max_depth = max_depth


def agree(hello, limits):
    """What a host's hello leads to, as `(values, stream credit)`. Raises StartupError where nothing is in common."""
    if _PROTOCOL not in (hello.protocol or (_PROTOCOL,)):
        raise StartupError("the host speaks protocol %s, this worker %d" % (list(hello.protocol), _PROTOCOL))
    values = Values(
        select_codec(hello.codecs or ("json",)),
        min(hello.max_frame_bytes or limits.max_frame_bytes, limits.max_frame_bytes),
        hello.max_depth or limits.max_depth,
        hello.typed_arrays,
    )
    return values, hello.stream_credit or _DEFAULT_CREDIT


def answer_hello(hello, attachment, manifest, limits):
    """The worker's own hello."""
    is_lower = limits.max_frame_bytes < (hello.max_frame_bytes or limits.max_frame_bytes)
    return WorkerHello(
        protocol=_PROTOCOL,
        codec=attachment.values.codec_name,
        language="python",
        runtime=Software(**describe_runtime()),
        sdk=Software(name="snakepit_bridge", version=__version__),
        pid=os.getpid(),
        typed_arrays=True,
        attachment=attachment.number,
        commands=[_describe(command, hello.concurrency <= 1 or manifest.is_concurrent(command)) for command in manifest.commands],
        max_frame_bytes=limits.max_frame_bytes if is_lower else 0,
        stack_signal=stack_signal() or "",
        batches=True,
    )


def _describe(command, is_concurrent):
    kind = COMMAND_KIND_STREAM if command.kind == STREAM else COMMAND_KIND_CALL
    contract = {} if command.contract is None else command.contract.describe()
    return Command(
        name=command.name,
        kind=kind,
        doc=command.doc or "",
        batch=_describe_batch(command.batch),
        schema=_json(contract.get("schema")),
        positional=contract.get("positional"),
        result=_json(contract.get("result")),
        concurrent=None if is_concurrent else False,
    )


def _json(schema):
    return "" if schema is None else json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


def _describe_batch(settings):
    if settings is None:
        return None
    names = {"maxSize": "max_size", "maxWaitMs": "max_wait_ms", "adaptive": "adaptive"}
    return Batch(**{names[name]: value for name, value in settings.items()})
