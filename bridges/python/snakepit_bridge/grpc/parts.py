"""The parts of a worker that speaks gRPC, put together."""

import threading
from operator import methodcaller

from ..doorbell import Doorbell
from ..v2.no_runner import NoRunner
from ..v2.stream_turns import StreamTurns
from .answers import Answers
from .attachments import Attachments
from .command_thread import CommandThread, RunningCall
from .dispatcher import Dispatcher
from .worker_runtime import WorkerRuntime

DETACHED_CREDIT = 64


class Parts:
    """What a worker is made of; a part knows those that are made before it.

        gRPC thread                      main thread                            gRPC thread
        WorkerService ──▶ Dispatcher ──┬──▶ CommandThread, StreamTurns ──▶ Answers ──▶ Doorbell ──▶ WorkerService
                                       └──▶ AsyncRunner, on its own thread ──▶ …

    Streams and asynchronous commands are run by the same parts as over protocol v2, which know a call by its number there, and
    by the Call itself here.
    """

    def __init__(self, manifest, loop, limits, exit_from_thread):
        self.manifest = manifest
        self.limits = limits
        self.stream_credit = DETACHED_CREDIT
        self.doorbell = Doorbell(loop, methodcaller("wake"))
        self.replies = Answers
        self.writer = _Unbuffered
        self.open_calls = RunningCall()
        self.intake = _Reading()
        self.streams = StreamTurns(self)
        self.async_runner = self._create_async_runner(exit_from_thread)
        self.command_thread = CommandThread(self)
        self.worker_runtime = WorkerRuntime(self)
        self.attachments = Attachments(self)
        self.worker_runtime.attachments = self.attachments
        self.dispatcher = Dispatcher(self)

    def _create_async_runner(self, exit_from_thread):
        """Nothing but the need for it starts another thread."""
        if not (self.manifest.has_async_hooks or any(command.is_async for command in self.manifest.commands)):
            return NoRunner()
        from ..v2.async_runner import AsyncRunner

        return AsyncRunner(self, exit_from_thread)


class _Unbuffered:
    """What is answered rings the doorbell by itself; there is nothing to flush."""

    out = b""

    @staticmethod
    def flush():
        """Nothing waits."""


class _Reading:
    """Held by the gRPC thread while it credits or cancels a stream of the main thread's."""

    def __init__(self):
        self.reading = threading.Lock()
