"""The way of the commonest call, which most of a worker's time goes into: no context, no meta, one result."""

from time import perf_counter

from .call_runner import PASSING_ERRORS, SLOW_SECONDS
from .frame import DEADLINE, FLAG_DEADLINE, FLAG_META, FLAG_STREAM, HEADER, RESULT
from .replies import MAX_SERVICE_TIME

_FLUSH_REPLIES = 32
_FLUSH_SECONDS = 0.0001
_FLUSH_BYTES = 64 * 1024
_SLOW_FLAGS = FLAG_META | FLAG_STREAM


class FastPath:
    """Runs the calls that wait, in order, on the main thread; whatever is uncommon goes to the call runner."""

    def __init__(self, parts):
        self._commands = parts.manifest.commands
        self._codec = parts.codec
        self._queue = parts.queue
        self._call_runner = parts.call_runner
        self._replies = parts.replies
        self._writer = parts.writer
        self._open_calls = parts.open_calls
        self._limit = min(parts.max_frame_bytes, _FLUSH_BYTES)

    def run(self):
        """Run the calls that wait now. Names are bound outside the loop, which is what makes this fast."""
        pending, late_cancels = self._queue.waiting, self._queue.late_cancels
        commands, count = self._commands, len(self._commands)
        open_calls, begin = self._open_calls, self._call_runner.begin
        writer, out = self._writer, self._writer.out
        encode, decode = self._codec.encode, self._codec.decode
        pack, clock = HEADER.pack, perf_counter
        limit = self._limit
        replies = 0
        now = flushed = clock()
        for _ in range(len(pending)):
            try:
                call = pending.popleft()
            except IndexError:
                break  # the watchdog has taken cancelled calls out
            call_id, index, flags, body, _ = call
            open_calls.running_id = call_id
            if index < count and call_id and not flags & _SLOW_FLAGS and commands[index].is_plain and not late_cancels:
                command = commands[index]
                if command.is_slow and out:
                    writer.flush()
                    flushed, replies = now, 0
                began = now
                try:
                    arguments = decode(body[DEADLINE.size :] if flags & FLAG_DEADLINE else body, flags)
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
                except PASSING_ERRORS:
                    raise
                except BaseException as error:
                    now = clock()
                    self._call_runner.answer_failure(command, call, error, now - began)
                command.is_slow = now - began > SLOW_SECONDS
            else:
                begin(call)
                now = clock()
            replies += 1
            if replies >= _FLUSH_REPLIES or now - flushed > _FLUSH_SECONDS or len(out) > _FLUSH_BYTES:
                writer.flush()
                flushed, replies = now, 0
