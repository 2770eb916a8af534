"""The main loop of a v2 worker: takes calls in, runs them, sends answers out."""

import select
import signal
import threading
from collections import deque
from functools import partial
from time import monotonic, perf_counter

from ..command import STREAM
from ..context import Context
from ..errors import (
    CANCELLED,
    INVALID_ARGUMENTS,
    INVALID_RESULT,
    UNKNOWN_COMMAND,
    HostGone,
    ProtocolError,
    RefusedValue,
    Refusal,
    UnencodableValue,
)
from ..process import end_by_protocol_error, end_with_host
from .frame import (
    CALL,
    CANCEL,
    CREDIT,
    DEADLINE,
    EVENT,
    FLAG_DEADLINE,
    FLAG_META,
    FLAG_STREAM,
    HEADER,
    HOST_ERROR,
    HOST_RESULT,
    LOG,
    NAMED_COMMAND,
    PING,
    PONG,
    PROGRESS,
    RESULT,
    SESSION_CLOSED,
    SHUTDOWN,
)
from .host_calls import Answer, HostCalls
from .replies import MAX_SERVICE_TIME, Replies
from .sessions import SessionHooks
from .stream import Stream
from .watchdog import Watchdog

_FLUSH_REPLIES = 32
_FLUSH_SECONDS = 0.0001
_FLUSH_BYTES = 64 * 1024
_SLOW_SECONDS = 0.0001
_SLOW_FLAGS = FLAG_META | FLAG_STREAM
_LOOK_SECONDS = 0.001
_STOPPING_TICK_SECONDS = 0.01
_STREAMS_SECONDS = 0.0005
_DRAIN_SECONDS = 1.0


class WorkerLoop:
    """Owns a connection after the hellos.

    The main thread runs synchronous commands in order and drives generators. One thread at a time reads the socket,
    whoever holds `_reading`: the main thread between calls, the watchdog while a call runs long, or a command that
    waits for its host. A reader never runs commands; it queues them in `_pending`.
    """

    def __init__(self, sock, reader, writer, codec, manifest, hello):
        self.turn = 0
        self.is_idle = False
        self._reader = reader
        self._writer = writer
        self._codec = codec
        self._manifest = manifest
        self._commands = manifest.commands
        self._stream_credit = hello.stream_credit
        self._max_frame_bytes = hello.max_frame_bytes
        self._replies = Replies(writer, codec, hello.max_frame_bytes)
        self._host_calls = HostCalls(writer, codec, self._replies)
        self._hooks = SessionHooks(manifest, self)
        self._watchdog = Watchdog(self, sock.fileno())
        self._reading = threading.Lock()
        self._main_thread = threading.get_ident()
        self._pending = deque()
        self._streams = {}
        self._runnable = deque()
        self._late_cancels = set()  # ids cancelled while a command ran and not found in the queue
        self._running_id = 0
        self._told_calls = set()  # ids in whose name records may be sent
        self._telling = threading.Lock()
        self._readable = select.poll()
        self._readable.register(sock.fileno(), select.POLLIN)
        self._is_stopping = False
        self._last_look = 0.0
        self._async = None
        self._exit_error = None
        self._on_call = self._pending.append

    def start(self):
        """Make ready for calls: start the threads that this worker's commands need."""
        if any(command.is_async for command in self._commands) or self._manifest.has_async_hooks:
            from .async_runner import AsyncRunner

            self._async = AsyncRunner(self._replies, self._writer, self._end_call, self._exit_from_thread)
            self._async.start()
            self._on_call = self._route
        self._watchdog.start()

    def stop(self):
        """End the serving once the calls at hand are answered. From the main thread."""
        self._is_stopping = True

    def serve(self):
        """Serve until the host asks for the end. Raises HostGone, ProtocolError, and SystemExit of commands."""
        try:
            while not (self._is_stopping and self._is_drained()):
                self._look()
                self.turn += 1
                if self._watchdog.is_asleep:
                    self._watchdog.wake()
                if self._pending:
                    self._run_pending()
                if self._runnable:
                    self._run_streams()
                self._running_id = 0
        except SystemExit:
            if self._exit_error is not None:
                raise self._exit_error from None
            raise

    def wind_down(self):
        """Close what is open, so that clean-up code runs; hooks may still run."""
        for stream in list(self._streams.values()):
            stream.close()
        if self._async is not None:
            self._async.cancel_all(_DRAIN_SECONDS)

    def end(self):
        """End the event loop's thread."""
        if self._async is not None:
            self._async.stop(_DRAIN_SECONDS)

    def run_hook(self, hook, *args):
        """Call a hook; one that is asynchronous runs in the event loop, and is waited for."""
        result = hook(*args)
        if hasattr(result, "__await__"):
            self._async.run_hook(_await(result))

    # What contexts ask of the worker, from any thread.

    def is_cancelled(self, call_id):
        """Tell whether a running call was cancelled; the main thread looks at the socket for it."""
        if threading.get_ident() == self._main_thread and monotonic() - self._last_look > _LOOK_SECONDS:
            self._look_in_between()
        held = self._streams.get(call_id) or (self._async.calls.get(call_id) if self._async else None)
        return held.is_cancelled if held is not None else call_id in self._late_cancels

    def running_call(self):
        """Id of the call that the current thread is running, else 0."""
        thread = threading.get_ident()
        if thread == self._main_thread:
            return self._running_id
        if self._async is not None and thread == self._async.thread.ident:
            return self._async.running_call()
        return 0

    def send_log(self, call_id, level, message, logger, fields):
        """Send a log record; fields that cannot be encoded are sent as text."""
        record = {"level": level, "message": message, "logger": logger}
        if fields:
            record["fields"] = fields
        try:
            self._tell(LOG, call_id, record, "log")
        except Refusal:
            record["message"] = _printable(message)
            record["fields"] = {str(key): _printable(repr(value)) for key, value in fields.items()}
            self._tell(LOG, call_id, record, "log")

    def send_progress(self, call_id, value):
        """Send PROGRESS. Raises Refusal if the value cannot be encoded."""
        self._tell(PROGRESS, call_id, value, "progress")

    def send_event(self, call_id, name, data):
        """Send EVENT. Raises Refusal if the data cannot be encoded."""
        self._tell(EVENT, call_id, {"name": name, "data": data}, "event")

    def ask_host(self, call_id, method, args):
        """Ask the host and wait for the answer. Raises HostError if it refuses."""
        answer = Answer()
        self._host_calls.ask(call_id, method, args, answer)
        if threading.get_ident() == self._main_thread:
            self._read_until(answer)
        else:
            answer.wait()
        return self._host_calls.read(*answer.content)

    async def ask_host_async(self, call_id, method, args):
        """Ask the host and await the answer. Raises HostError if it refuses."""
        from asyncio import get_running_loop

        loop = get_running_loop()
        future = loop.create_future()

        def settle(content):
            if not future.done():
                future.set_result(content)

        def on_answer(*content):
            try:
                loop.call_soon_threadsafe(settle, content)
            except RuntimeError:
                pass  # the event loop was closed by a command that does not wait any more

        self._host_calls.ask(call_id, method, args, on_answer)
        return self._host_calls.read(*await future)

    # What the watchdog does while the main thread is inside a command.

    def read_for_main(self):
        """Take in what arrived, in place of the main thread; False if that one is reading itself."""
        if not self._reading.acquire(blocking=False):
            return False
        try:
            self._take_in_between(is_blocking=False)
        except HostGone:
            end_with_host()
        except ProtocolError as error:
            end_by_protocol_error(error)
        finally:
            self._reading.release()
        self.flush_for_main()
        return True

    def flush_for_main(self):
        """Send the answers that the main thread has made before it went into a long command."""
        try:
            self._writer.flush()
        except HostGone:
            end_with_host()

    # Taking frames in.

    def _look(self):
        """Between commands: take in what arrived, and wait for it if there is nothing else to do."""
        out = self._writer.out
        with self._reading:
            self._late_cancels.clear()
            is_blocking = not (self._pending or self._runnable)
            if is_blocking and out:
                self._writer.flush()
            if is_blocking and self._is_stopping:
                is_blocking = False
                self._wait_briefly()
            self.is_idle = is_blocking
            has_data = self._reader.receive(is_blocking)
            self.is_idle = False
            self._last_look = now = monotonic()
            if has_data:
                self._reader.parse(self._on_call, self._on_other, now)

    def _look_in_between(self):
        """Inside a command of the main thread's: take in what arrived."""
        with self._reading:
            self._take_in_between(is_blocking=False)
        self._writer.flush()

    def _read_until(self, answer):
        """Inside a command of the main thread's: take frames in until the answer is there."""
        while answer.content is None:
            with self._reading:
                if answer.content is None:
                    self._take_in_between(is_blocking=True)
            self._writer.flush()

    def _take_in_between(self, is_blocking):
        if self._reader.receive(is_blocking):
            self._last_look = now = monotonic()
            self._reader.parse(self._on_call_in_between, self._on_other_in_between, now)

    def _wait_briefly(self):
        """While the last asynchronous calls end, which happens without a frame from the host."""
        self._readable.poll(_STOPPING_TICK_SECONDS * 1000)

    def _on_call_in_between(self, call):
        self._late_cancels.discard(call[0])
        self._on_call(call)

    def _on_other_in_between(self, kind, flags, aux, call_id, body, received):
        if kind != CANCEL:
            self._on_other(kind, flags, aux, call_id, body, received)
        elif not self._cancel(call_id):
            self._late_cancels.add(call_id)

    def _route(self, call):
        """Asynchronous commands start at once, even while the main thread is busy."""
        call_id, index, flags, _, _ = call
        commands = self._commands
        needs_hooks = self._hooks.has_any and flags & FLAG_META
        if call_id and index < len(commands) and commands[index].is_async and not needs_hooks:
            self._submit(commands[index], call)
        else:
            self._pending.append(call)

    def _on_other(self, kind, flags, aux, call_id, body, received):
        """Handle any frame but a CALL without stream. Raises ProtocolError."""
        if kind == CREDIT:
            self._grant(call_id, aux)
        elif kind == CANCEL:
            self._cancel(call_id)
        elif kind == PING:
            self._writer.add(PONG, call_id)
        elif kind == CALL:
            self._accept_stream((call_id, aux, flags, body, received))
        elif kind in (HOST_RESULT, HOST_ERROR):
            self._host_calls.settle(kind, flags, call_id, body)
        elif kind == SESSION_CLOSED:
            self._pending.append((0, kind, flags, body, received))
        elif kind == SHUTDOWN:
            self._is_stopping = True
        elif kind != PONG:
            raise ProtocolError("a frame of kind 0x%02x, which a worker does not take" % kind)

    def _accept_stream(self, call):
        call_id, index, _, _, _ = call
        if not (index < len(self._commands) and self._commands[index].is_async):
            self._streams[call_id] = Stream(call_id, self._stream_credit)
        self._on_call(call)

    def _grant(self, call_id, chunks):
        stream = self._streams.get(call_id)
        if stream is not None:
            stream.granted += chunks
            self._unpark(stream)
        elif self._async is not None and call_id in self._async.calls:
            self._async.grant(self._async.calls[call_id], chunks)

    def _cancel(self, call_id):
        """Cancel a call that waits, streams or runs asynchronously; False if it is none of these."""
        for call in tuple(self._pending):
            if call[0] == call_id and self._unqueue(call):
                self._streams.pop(call_id, None)
                self._replies.refuse(call_id, CANCELLED, "the call was cancelled before it began", started=False)
                return True
        stream = self._streams.get(call_id)
        if stream is not None:
            stream.is_cancelled = True
            self._unpark(stream)
            return True
        call = self._async.calls.get(call_id) if self._async is not None else None
        if call is not None:
            self._async.cancel(call)
        return call is not None

    def _unqueue(self, call):
        try:
            self._pending.remove(call)
        except ValueError:
            return False  # the main thread has just begun it
        return True

    def _unpark(self, stream):
        if stream.is_parked:
            stream.is_parked = False
            self._runnable.append(stream)

    # Running commands, on the main thread.

    def _run_pending(self):
        """Run the calls that wait now, in order. The hot path of the worker: names are bound outside its loop."""
        pending, late_cancels = self._pending, self._late_cancels
        commands, count = self._commands, len(self._commands)
        writer, out = self._writer, self._writer.out
        encode, decode = self._codec.encode, self._codec.decode
        pack, clock = HEADER.pack, perf_counter
        limit = min(self._max_frame_bytes, _FLUSH_BYTES)
        replies = 0
        now = flushed = clock()
        for _ in range(len(pending)):
            try:
                call = pending.popleft()
            except IndexError:
                break  # the watchdog has taken cancelled calls out
            call_id, index, flags, body, _ = call
            self._running_id = call_id
            if index < count and call_id and not flags & _SLOW_FLAGS and commands[index].is_plain and not late_cancels:
                command = commands[index]
                if command.is_slow and out:
                    writer.flush()
                    flushed, replies = now, 0
                began = now
                try:
                    arguments = decode(body[4:] if flags & FLAG_DEADLINE else body, flags)
                    kind = type(arguments)
                    if kind is dict:
                        result = command.function(**arguments)
                    elif kind is list:
                        result = command.function(*arguments)
                    elif arguments is None:
                        result = command.function()
                    else:
                        result = command.function(arguments)
                    tag, data = encode(result)
                    now = clock()
                    if len(data) < limit:
                        microseconds = int((now - began) * 1e6)
                        if microseconds > MAX_SERVICE_TIME:
                            microseconds = MAX_SERVICE_TIME
                        out += pack(len(data), RESULT, tag, microseconds, call_id) + data
                    else:
                        self._replies.encoded(call_id, (tag, data), now - began)
                except (SystemExit, KeyboardInterrupt, HostGone, ProtocolError):
                    raise
                except BaseException as error:
                    now = clock()
                    self._answer_failure(command, call, error, now - began)
                command.is_slow = now - began > _SLOW_SECONDS
            else:
                self._begin(call)
                now = clock()
            replies += 1
            if replies >= _FLUSH_REPLIES or now - flushed > _FLUSH_SECONDS or len(out) > _FLUSH_BYTES:
                writer.flush()
                flushed, replies = now, 0
        if not pending:
            writer.flush()

    def _begin(self, call):
        """Begin anything that is not on the fast path."""
        call_id, index, flags, body, received = call
        if call_id == 0:
            self._close_session(call)
            return
        began = perf_counter()
        command = None
        try:
            if call_id in self._late_cancels:
                raise Refusal(CANCELLED, "the call was cancelled before it began", started=False)
            meta, arguments = self._open(flags, body)
            command = self._find(index, meta)
            if command.is_async:
                self._hooks.open(meta.get("session"), call_id)
                self._submit(command, call)
                if call_id in self._late_cancels:
                    self._cancel(call_id)
                return
            if command.is_slow:
                self._writer.flush()
            result = self._invoke(command, call, meta, arguments)
            if flags & FLAG_STREAM:
                stream = self._streams[call_id]
                stream.start(result if command.kind == STREAM else (result,))
                self._runnable.append(stream)
                return
            encoded = self._replies.encode(result)
        except (SystemExit, KeyboardInterrupt, HostGone, ProtocolError):
            raise
        except BaseException as error:
            answer = partial(self._replies.error, call_id, error, perf_counter() - began)
        else:
            answer = partial(self._replies.encoded, call_id, encoded, perf_counter() - began)
        if command is not None:
            command.is_slow = perf_counter() - began > _SLOW_SECONDS
        self._streams.pop(call_id, None)
        self._end_call(call_id)
        answer()

    def _invoke(self, command, call, meta, arguments):
        """Call a synchronous command; a stream's body begins only when it is advanced."""
        call_id, _, flags, _, _ = call
        if command.kind == STREAM and not flags & FLAG_STREAM:
            raise Refusal(INVALID_ARGUMENTS, "%s is a stream; call it as one" % command.name)
        self._hooks.open(meta.get("session"), call_id)
        return command.invoke(arguments, self._context(command, call, meta))

    def _open(self, flags, body):
        """The meta and the arguments of a call. Raises Refusal and ProtocolError."""
        try:
            data = body[DEADLINE.size :] if flags & FLAG_DEADLINE else body
            value = self._codec.decode(data, flags, 1 if flags & FLAG_META else 0)
        except RefusedValue as refused:
            raise Refusal(INVALID_ARGUMENTS, "args: %s" % refused) from None
        if not flags & FLAG_META:
            return _NO_META, value
        if type(value) is not list or len(value) != 2 or type(value[0]) is not dict:
            raise ProtocolError("a call with META whose value is not [meta, arguments]")
        return value

    def _find(self, index, meta):
        if index < len(self._commands):
            return self._commands[index]
        name = meta.get("command") if index == NAMED_COMMAND else None
        command = self._manifest.find(name)
        if command is None:
            known = ", ".join(sorted(self._manifest.by_name)[:20])
            wanted = "named %r" % name if name is not None else "of index %d" % index
            raise Refusal(UNKNOWN_COMMAND, "no command %s; this worker has: %s" % (wanted, known))
        return command

    def _context(self, command, call, meta):
        """A context for commands that take one; from here until `_end_call`, records may name the call."""
        if not command.takes_context:
            return None
        call_id, _, flags, body, received = call
        deadline = received + DEADLINE.unpack_from(body)[0] / 1000 if flags & FLAG_DEADLINE else None
        self._told_calls.add(call_id)
        return Context(self, command.name, call_id, deadline, meta)

    def _submit(self, command, call):
        """Give a call to the event loop, where its arguments are decoded too."""
        from .async_runner import AsyncCall

        call_id, _, flags, body, _ = call

        def prepare():
            if command.kind == STREAM and not flags & FLAG_STREAM:
                raise Refusal(INVALID_ARGUMENTS, "%s is a stream; call it as one" % command.name)
            meta, arguments = self._open(flags, body)
            return command.invoke(arguments, self._context(command, call, meta))

        self._streams.pop(call_id, None)
        self._told_calls.add(call_id)
        self._async.submit(AsyncCall(call_id, command, prepare, bool(flags & FLAG_STREAM), self._stream_credit))

    def _answer_failure(self, command, call, error, seconds):
        """Answer a call of the fast path that failed."""
        call_id, _, flags, body, _ = call
        if type(error) is TypeError:
            error = self._misfit(command, flags, body, error)
        elif isinstance(error, RefusedValue):
            error = Refusal(INVALID_ARGUMENTS, "args: %s" % error)
        elif isinstance(error, UnencodableValue):
            error = Refusal(INVALID_RESULT, str(error))
        self._replies.error(call_id, error, seconds)

    def _misfit(self, command, flags, body, error):
        try:
            command.refuse_misfit(self._open(flags, body)[1], error)
        except Refusal as refusal:
            return refusal
        return error

    def _close_session(self, call):
        _, kind, flags, body, _ = call
        if kind != SESSION_CLOSED:
            raise ProtocolError("a CALL with the id 0")
        self._hooks.close(self._codec.decode(body, flags))

    def _run_streams(self):
        """Let the runnable streams take turns, for a bounded time."""
        end = perf_counter() + _STREAMS_SECONDS
        for _ in range(len(self._runnable)):
            stream = self._runnable.popleft()
            self._running_id = stream.call_id
            if stream.is_cancelled:
                answer = stream.cancel(self._replies)
            else:
                answer = stream.advance(self._replies, self._writer)
            if answer is not None:
                self._streams.pop(stream.call_id)
                self._end_call(stream.call_id)
                answer()
            elif stream.granted > stream.sent or not self._park(stream):
                self._runnable.append(stream)
            if perf_counter() > end:
                break
        if not self._pending:
            self._writer.flush()

    def _park(self, stream):
        """Set a stream aside until credit or a cancellation arrives; False if it did meanwhile."""
        with self._reading:
            stream.is_parked = stream.granted == stream.sent and not stream.is_cancelled
        return stream.is_parked

    def _end_call(self, call_id):
        """From here on nothing may be sent in the name of the call but its answer."""
        with self._telling:
            self._told_calls.discard(call_id)

    def _tell(self, kind, call_id, value, root):
        """Send a record of a running call; of a call that has ended, PROGRESS is dropped and others lose the id."""
        flags, body = self._replies.encode(value, root)
        thread = threading.get_ident()
        is_main = thread == self._main_thread
        with self._telling:
            if call_id not in self._told_calls and not (is_main and call_id == self._running_id):
                if kind == PROGRESS:
                    return
                call_id = 0
            self._writer.add(kind, call_id, flags, 0, body)
        if self._async is not None and thread == self._async.thread.ident:
            self._async.flush_soon()
        else:
            self._writer.flush()

    def _is_drained(self):
        return not (self._pending or self._streams or (self._async is not None and self._async.calls))

    def _exit_from_thread(self, ending):
        """A command on another thread raised SystemExit: let the main thread end the worker with its status."""
        self._exit_error = ending
        signal.pthread_kill(self._main_thread, signal.SIGTERM)


_NO_META = {}


async def _await(awaitable):
    return await awaitable


def _printable(text):
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
