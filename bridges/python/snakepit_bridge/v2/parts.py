"""The parts of a worker, put together."""

from ..metrics import METRICS_EVENT, Metrics
from .call_queue import CallQueue
from .call_runner import CallRunner
from .fast_path import FastPath
from .frame import EVENT
from .host_calls import HostCalls
from .intake import Intake
from .no_runner import NoRunner
from .open_calls import OpenCalls
from .replies import Replies
from .row_answers import RowAnswers
from .runtime import Runtime
from .stream_turns import StreamTurns
from .switchboard import Switchboard


class Parts:
    """What one connection's worker is made of; a part knows those that are made before it.

        socket ──▶ Intake ──▶ Switchboard ──┬──▶ CallQueue ──▶ FastPath ──▶ CallRunner ──▶ Replies ──▶ socket
             any reading thread             ├──▶ StreamTurns       main thread
                                            ├──▶ AsyncRunner       its own thread
                                            ├──▶ ThreadRunner      threads of its own
                                            └──▶ HostCalls, Arena

    Commands see all of it as a Context, which asks the Runtime.
    """

    def __init__(self, connection, manifest, hello, *, stop, exit_from_thread):
        self.manifest = manifest
        self.stop = stop
        self.max_frame_bytes = hello.max_frame_bytes
        self.stream_credit = hello.stream_credit
        self.writer, self.codec, self.arena = connection.writer, connection.codec, connection.arena
        self.queue = CallQueue()
        self.replies = Replies(self.writer, self.codec, hello.max_frame_bytes)
        self.host_calls = HostCalls(self.writer, self.codec, self.replies)
        self.metrics = Metrics(self._send_metrics)
        self.open_calls = OpenCalls(self.writer, self.arena, self.metrics)
        self.row_answers = RowAnswers(self.writer)
        self.intake = Intake(connection.socket, connection.reader, self.writer, self.queue, self.row_answers)
        self.streams = StreamTurns(self)
        self.async_runner, self.async_questions = self._create_async_runner(exit_from_thread)
        self.thread_runner = self._create_thread_runner(hello.concurrency, exit_from_thread)
        self.runtime = Runtime(self)
        self.call_runner = CallRunner(self)
        self.fast_path = FastPath(self)
        self.intake.connect(Switchboard(self), self.streams.runnable)

    def _send_metrics(self, entries, call):
        flags, body = self.replies.encode({"name": METRICS_EVENT, "data": entries}, "event")
        self.writer.add(EVENT, 0, flags, 0, body)
        if call is None:  # else its answer follows
            self.writer.flush()

    def _create_async_runner(self, exit_from_thread):
        """Nothing but the need for it loads asyncio, which is slow to import."""
        if not (self.manifest.has_async_hooks or any(command.is_async for command in self.manifest.commands)):
            return NoRunner(), None
        from .async_questions import AsyncQuestions
        from .async_runner import AsyncRunner

        runner = AsyncRunner(self, exit_from_thread)
        return runner, AsyncQuestions(runner, self.host_calls, self.writer)

    def _create_thread_runner(self, concurrency, exit_from_thread):
        if not self.manifest.has_threads:
            return NoRunner()
        from .thread_runner import ThreadRunner

        return ThreadRunner(self, concurrency, exit_from_thread)
