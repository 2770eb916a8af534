"""Runs plain commands side by side, each on a thread."""

import threading
from collections import deque
from contextvars import Context
from functools import partial
from time import perf_counter

from ..command import STREAM
from ..current_call import current_call
from ..errors import CANCELLED, HostGone, ProtocolError
from ..process import end_by_protocol_error, end_with_host
from .stream import Stream


class ThreadCall:
    """One call that runs on a thread; `stream` is what it sends as one, None for a call that has one result."""

    __slots__ = ("call_id", "command", "prepare", "stream", "is_cancelled")

    def __init__(self, call_id, command, prepare, is_stream, credit):
        self.call_id = call_id
        self.command = command
        self.prepare = prepare
        self.stream = Stream(call_id, credit) if is_stream else None
        self.is_cancelled = False


class ThreadRunner:
    """Takes calls from the reading thread and answers them from threads, which are started as they are needed.

    There is one thread more than the host has long calls run at once, so that short ones find one free.
    """

    def __init__(self, parts, concurrency, exit_process):
        self.calls = {}
        self._most = concurrency + 1
        self._replies = parts.replies
        self._writer = parts.writer
        self._on_end = parts.open_calls.end
        self._exit_process = exit_process
        self._waiting = deque()
        self._threads = []
        self._idle = 0
        self._is_ending = False
        lock = threading.Lock()
        self._due = threading.Condition(lock)
        self._changed = threading.Condition(lock)  # what streams wait for

    def start(self):
        """Threads start with the calls."""

    def submit(self, call):
        """Run a call as soon as a thread is free. From any thread."""
        self.calls[call.call_id] = call
        with self._due:
            self._waiting.append(call)
            self._due.notify()
            if len(self._waiting) <= self._idle or len(self._threads) == self._most:
                return
            name = "snakepit-call-%d" % len(self._threads)
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._threads.append(thread)
        thread.start()

    def cancel(self, call):
        """Cancel a call: one that has not begun is answered for, others see it in their context. From any thread."""
        with self._changed:
            call.is_cancelled = True
            if call.stream is not None:
                call.stream.is_cancelled = True
            is_waiting = call in self._waiting
            if is_waiting:
                self._waiting.remove(call)
            self._changed.notify_all()
        if is_waiting:
            text = "the call was cancelled before it began"
            self._end(call, None, partial(self._replies.refuse, call.call_id, CANCELLED, text, started=False))

    def grant(self, call, chunks):
        """Let a stream send more. From any thread."""
        if call.stream is None:
            return
        with self._changed:
            call.stream.granted += chunks
            self._changed.notify_all()

    def cancel_all(self, timeout_seconds):
        """Cancel what runs, and wait for its clean-up code; nothing begins any more."""
        for call in list(self.calls.values()):
            self.cancel(call)
        with self._due:
            self._is_ending = True
            self._due.notify_all()
        end = perf_counter() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, end - perf_counter()))

    def stop(self, timeout_seconds):
        """The threads end with the process."""

    def _run(self):
        try:
            while True:
                call = self._next()
                if call is None:
                    return
                # What a command sets in its context is gone with it.
                Context().run(self._serve, call)
                self._writer.flush()
        except HostGone:
            end_with_host()
        except ProtocolError as error:
            end_by_protocol_error(error)
        except (SystemExit, KeyboardInterrupt) as ending:
            self._exit_process(ending)

    def _next(self):
        with self._due:
            self._idle += 1
            self._due.wait_for(lambda: self._waiting or self._is_ending)
            self._idle -= 1
            return None if self._is_ending else self._waiting.popleft()

    def _serve(self, call):
        current_call.set(call.call_id)
        began = perf_counter()
        failure = None
        try:
            result = call.prepare()
            if call.stream is None:
                encoded = self._replies.encode_result(call.call_id, result)
                answer = partial(self._replies.encoded, call.call_id, encoded, perf_counter() - began)
            else:
                call.stream.start(result if call.command.kind == STREAM else (result,))
                answer = self._walk(call.stream)
                failure = call.stream.failure
        except (SystemExit, KeyboardInterrupt, HostGone, ProtocolError):
            raise
        except BaseException as error:
            failure = error
            answer = partial(self._replies.error, call.call_id, error, perf_counter() - began)
        self._end(call, failure, answer)

    def _walk(self, stream):
        """Send a stream's values as there is credit; returns its answer."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: stream.is_cancelled or stream.granted > stream.sent)
            if stream.is_cancelled:
                return stream.cancel(self._replies)
            answer = stream.advance(self._replies, self._writer)
            if answer is not None:
                return answer
            self._writer.flush()

    def _end(self, call, failure, answer):
        """Answer the call; the host may use its id again from then on."""
        del self.calls[call.call_id]
        self._on_end(call.call_id, failure)
        answer()
