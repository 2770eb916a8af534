"""What the main thread does in a worker that speaks gRPC: it runs synchronous commands, in the order of arrival."""

import threading
from collections import deque
from time import perf_counter

from ..command import STREAM
from ..errors import UNKNOWN_COMMAND, Refusal
from ..v2.async_runner import AsyncCall

_STOPPING_TICK_SECONDS = 0.01
_CALLS_BETWEEN_STREAMS = 32


class RunningCall:
    """Which call the main thread is running, in `running_id`; None when there is none."""

    def __init__(self):
        self.running_id = None

    def end(self, call, failure=None):
        """Calls end by their outcome."""


class CommandThread:
    """Runs what is `waiting`, lets streams take turns, and sleeps when there is neither.

    gRPC has a thread of its own, so that this one may be held by a command for as long as it likes: pings, cancelling and
    asynchronous commands do not wait for it. It is the main thread because that is where libraries want to be called, and where
    a signal can interrupt a command. To run short commands on gRPC's thread would save about an eighth of a call's CPU time, and
    all of the above for the first one that turns out not to be short.
    """

    def __init__(self, parts):
        self.waiting = deque()
        self._manifest = parts.manifest
        self._running = parts.open_calls
        self._answers = parts.replies
        self._streams = parts.streams
        self._async = parts.async_runner
        self._is_stopping = False
        self._is_asleep = False
        self._bell = threading.Lock()
        self._bell.acquire()

    def add(self, item):
        """Let `item.begin(self)` be called in its turn. From any thread."""
        self.waiting.append(item)
        self.wake()

    def wake(self):
        """There is work. From any thread, and from signal handlers."""
        if self._is_asleep:
            self._is_asleep = False
            try:
                self._bell.release()
            except RuntimeError:
                pass  # somebody else has rung

    def stop(self):
        """End `serve` once the calls at hand are answered. From any thread, and from signal handlers."""
        self._is_stopping = True
        self.wake()

    def serve(self):
        """Run commands until `stop`. Raises SystemExit of commands."""
        waiting, streams = self.waiting, self._streams
        while True:
            for _ in range(min(len(waiting), _CALLS_BETWEEN_STREAMS)):
                try:
                    item = waiting.popleft()
                except IndexError:
                    break  # the gRPC thread has taken cancelled calls out
                item.begin(self)
            self._running.running_id = None
            if streams.runnable:
                streams.run()
                self._running.running_id = None
            elif not waiting:
                if self._is_stopping and self._is_drained():
                    return
                self._sleep()

    def run_call(self, call):
        """Run a call, and end it unless it streams or is asynchronous."""
        self._running.running_id = call
        began = perf_counter()
        try:
            call.refuse_cancelled()
            if call.command is None:
                call.command = self._find(call)
            call.attachment.hooks.open(call.session_id, call.number)
            if call.command.is_async:
                self.submit_async(call)
                return
            result = call.invoke()
            if call.is_stream:
                self._streams.start(call, result if call.command.kind == STREAM else (result,))
                return
            encoded = self._answers.encode_result(call, result)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._streams.forget(call)
            self._answers.error(call, error, perf_counter() - began)
        else:
            self._answers.encoded(call, encoded, perf_counter() - began)

    def submit_async(self, call):
        """Give a call to the asynchronous commands' thread, where its arguments are decoded too. From any thread."""
        self._streams.forget(call)
        self._async.submit(AsyncCall(call, call.command, call.invoke, call.is_stream, call.attachment.stream_credit))
        if call.is_cancelled:
            self.cancel_async(call)

    def cancel_async(self, call):
        """Cancel a call that the asynchronous commands' thread has; nothing happens if it has not. From any thread."""
        held = self._async.calls.get(call)
        if held is not None:
            self._async.cancel(held)

    def _find(self, call):
        command = self._manifest.find(call.wanted_name)
        if command is None:
            known = ", ".join(sorted(self._manifest.by_name)[:20])
            raise Refusal(UNKNOWN_COMMAND, "no command %s; this worker has: %s" % (call.wanted, known))
        return command

    def _sleep(self):
        self._is_asleep = True
        if self.waiting or self._streams.runnable:  # it came before the flag was up
            self._is_asleep = False
            return
        # The last asynchronous calls end without a word to this thread.
        self._bell.acquire(timeout=_STOPPING_TICK_SECONDS if self._is_stopping else -1)
        self._is_asleep = False

    def _is_drained(self):
        return not (self.waiting or self._streams or self._async.calls)


class SessionEnd:
    """The end of one session, or of all of an attachment's (None), which takes its turn like a call."""

    __slots__ = ("_hooks", "_session_id")

    def __init__(self, hooks, session_id=None):
        self._hooks = hooks
        self._session_id = session_id

    def begin(self, _):
        """Run the closing hooks. On the command thread."""
        if self._session_id is None:
            self._hooks.close_all()
        else:
            self._hooks.close(self._session_id)
