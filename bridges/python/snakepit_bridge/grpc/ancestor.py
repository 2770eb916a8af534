"""The ancestor's service `snakepit.SnakepitBridge`, served beside ours, so that a host of the ancestor's can use this worker."""

import asyncio
import os
import sys
import time

from grpc import StatusCode

from ..version import __version__
from .ancestor_values import AncestorValues, decode_arguments
from .calls import Call
from .generated.snakepit_bridge_pb2 import ExecuteResponse, HealthResponse, InfoResponse, StreamResponse, WorkerStats
from .outcome import ABANDONED, abort
from .stream_parts import ProgressPart


class AncestorCall(Call):
    """A call of the ancestor's: named arguments, no control stream."""

    __slots__ = ()

    @property
    def wanted(self):
        """How the caller named the command, for messages."""
        return "named %r" % self.request.command

    @property
    def wanted_name(self):
        """The command's name."""
        return self.request.command

    @property
    def session_id(self):
        """The session that the call belongs to, or None."""
        return getattr(self.request, "session_id", "") or None

    @property
    def is_batch(self):
        """The ancestor has none."""
        return False

    def take_arguments(self):
        """The decoded arguments."""
        return decode_arguments(self.request.args)

    def _meta(self):
        return {"session": self.session_id}


class AncestorService:
    """The RPCs, on the gRPC thread; named as the generated code names them."""

    def __init__(self, parts, worker_service):
        self._worker_service = worker_service
        self._by_name = parts.manifest.by_name
        self._dispatcher = parts.dispatcher
        self._caller = parts.attachments.create_detached(AncestorValues(parts.limits.max_frame_bytes))
        self._create_future = asyncio.get_running_loop().create_future
        self._began = time.monotonic()
        self._handled = 0
        self._failed = 0

    async def Execute(self, request, context):
        """Run a command and answer with its result, or with the text of its failure."""
        call, seconds = await self._admit(request, context, is_stream=False)
        call.waiter = self._create_future()
        self._dispatcher.submit(call)
        await self._within(call.waiter, call, seconds, context)
        outcome = call.outcome
        self._caller.forget(call)
        if outcome is ABANDONED:
            await abort(context, outcome)
        response = ExecuteResponse(success=outcome.failure is None, timestamp=time.time_ns(), request_id=request.request_id)
        if outcome.failure is None:
            response.result.update(outcome.encoded[1])
        else:
            self._failed += 1
            response.error = outcome.failure.message
        return response

    async def ExecuteStream(self, request, context):
        """Run a command as a stream."""
        call, seconds = await self._admit(request, context, is_stream=True)
        self._dispatcher.submit(call)
        await self._within(self._send_chunks(call, context), call, seconds, context)
        self._caller.forget(call)

    ExecuteInSession = Execute
    ExecuteInSessionStream = ExecuteStream

    async def Health(self, request, context):
        """Tell that the worker is alive."""
        return HealthResponse(
            healthy=self._worker_service.is_admitting,
            worker_id=request.worker_id or os.environ.get("SNAKEPIT_WORKER_ID", ""),
            uptime_ms=self._uptime_ms(),
            total_requests=self._handled,
            total_errors=self._failed,
            version=__version__,
        )

    async def GetInfo(self, request, context):
        """Describe the worker."""
        info = InfoResponse(worker_type="python-grpc", version=__version__, supported_commands=list(self._by_name))
        info.system_info.update({"python_version": sys.version.split()[0], "platform": sys.platform})
        if request.include_capabilities:
            info.capabilities.update({"streaming": "true", "sessions": "true"})
        if request.include_stats:
            info.stats.CopyFrom(self._stats())
        return info

    async def _admit(self, request, context, is_stream):
        """The call of a request, and the seconds it has (None: without end); or the end of the RPC."""
        if not self._worker_service.is_admitting:
            await context.abort(StatusCode.UNAVAILABLE, "the worker is shutting down")
        self._handled += 1
        limits = [context.time_remaining(), request.timeout_ms / 1000 if request.timeout_ms > 0 else None]
        seconds = min((limit for limit in limits if limit is not None), default=None)
        call = AncestorCall(self._caller, 0, request, self._by_name.get(request.command), is_stream, seconds)
        self._caller.hold(call)
        return call, seconds

    async def _within(self, waiting, call, seconds, context):
        """Wait for a call within its deadline; it is cancelled when nobody waits any more."""
        try:
            await asyncio.wait_for(waiting, seconds)
        except asyncio.TimeoutError:
            self._lose(call)
            self._failed += 1
            await context.abort(StatusCode.DEADLINE_EXCEEDED, "the call took longer than %d ms" % (seconds * 1000))
        except BaseException:
            self._lose(call)
            raise

    def _lose(self, call):
        call.lose_rpc()
        self._dispatcher.cancel(call)

    async def _send_chunks(self, call, context):
        """Each chunk is one message; the last, without a chunk, tells how the stream ended."""
        index = 0
        while True:
            outcome = call.outcome  # before the parts, which come before it
            if call.parts:
                part = call.parts.popleft()
                if type(part) is not ProgressPart:
                    response = StreamResponse(timestamp=time.time_ns(), request_id=call.request.request_id, chunk_index=index)
                    response.chunk.update(part[1])
                    await context.write(response)
                    self._dispatcher.grant(call, 1)
                    index += 1
            elif outcome is not None:
                break
            else:
                call.waiter = self._create_future()
                await call.waiter
        if outcome is ABANDONED:
            await abort(context, outcome)
        last = StreamResponse(is_final=True, timestamp=time.time_ns(), request_id=call.request.request_id, chunk_index=index)
        if outcome.failure is not None:
            self._failed += 1
            last.error = outcome.failure.message or outcome.failure.code
        await context.write(last)

    def _stats(self):
        uptime = max(time.monotonic() - self._began, 1e-3)
        return WorkerStats(
            requests_handled=self._handled,
            requests_failed=self._failed,
            uptime_ms=self._uptime_ms(),
            memory_usage_bytes=_resident_bytes(),
            cpu_usage_percent=100 * time.process_time() / uptime,
        )

    def _uptime_ms(self):
        return int(1000 * (time.monotonic() - self._began))


def _resident_bytes():
    """Memory in use; at its peak, where the system does not tell what it is now."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
