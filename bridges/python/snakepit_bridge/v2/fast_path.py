"""The way of the commonest call, which most of a worker's time goes into: no context, one small result.

`docs/performance.md` says what its steps cost. Nothing is done differently here than elsewhere, only in fewer steps; whatever
turns out to be uncommon is left to the call runner.
"""

from time import perf_counter_ns

from .call_runner import PASSING_ERRORS, SLOW_SECONDS
from .frame import CALL, FLAG_DEADLINE, FLAG_META, HEADER, RESULT, flags_of, head_of
from .plain_meta import Sampled, with_meta
from .rows import LEAST_CALLS, Rows

_FLUSH_REPLIES = 32
_FLUSH_NS = 100_000
_FLUSH_BYTES = 64 * 1024
_SMALL_BYTES = _FLUSH_BYTES // _FLUSH_REPLIES
_SLOW_NS = int(SLOW_SECONDS * 1e9)


class FastPath:
    """Runs the calls that wait, in order, on the main thread.

    `_quick` has the functions of plain commands whose last run was short, by the head of a call. To find one tells all
    at once: it is a call that wants no stream, its command is known and need not see the meta, and the answers before it need not leave first.
    """

    def __init__(self, parts):
        self._plain = {
            head_of(CALL, flags, index): command
            for index, command in enumerate(parts.manifest.commands)
            if command.is_plain and not parts.manifest.is_concurrent(command)
            for meta in (0, FLAG_META)[: 1 if parts.call_runner.has_session_hooks else 2]
            for flags in (meta, meta | FLAG_DEADLINE)
        }
        self._quick = {}
        self._codec = parts.codec
        self._waiting = parts.queue.waiting
        self._call_runner = parts.call_runner
        self._replies = parts.replies
        self._writer = parts.writer
        self._open_calls = parts.open_calls
        self._small_bytes = min(parts.max_frame_bytes, _SMALL_BYTES)
        self._rows = Rows(parts, self._small_bytes)

    def run(self):
        """Run the calls that wait now, and send answers every so often."""
        waiting, run_row = self._waiting, self._rows.run
        for _ in range(-(-len(waiting) // _FLUSH_REPLIES)):
            left = _FLUSH_REPLIES
            while left > 0 and waiting:
                if len(waiting) >= LEAST_CALLS:
                    left -= run_row(self._quick)
                until_sampled = self._run_some(min(len(waiting), left)) if left > 0 else 0
                if not until_sampled:
                    break
                left -= until_sampled
            self._writer.flush()

    def _run_some(self, most):
        """Run so many calls, or as many until answers should be sent, and return 0. A sampled call is the last one, since those behind it may
        make a row: returned is how many there were.

        Names are bound outside the loop, which is what makes this fast.
        """
        waiting, open_calls = self._waiting, self._open_calls
        take, find, decode = waiting.popleft, self._quick.get, self._codec.decode_plain
        encode, encode_scalar, scalars = self._codec.encode, self._codec.encode_scalar, self._codec.scalars
        out, small, slow, result_kind = self._writer.out, self._small_bytes, _SLOW_NS, RESULT
        pack, clock = HEADER.pack, perf_counter_ns
        now = clock()
        flush_at = now + _FLUSH_NS
        head = 0
        for done in range(1, most + 1):
            try:
                call = take()
            except IndexError:
                return 0  # the watchdog has taken cancelled calls out
            began = now
            call_id, head, body, _, _ = call
            open_calls.running_id = call_id
            function = find(head) if call_id else None
            if function is not None:
                try:
                    arguments = decode(body)
                except Exception:
                    function = None  # the call runner finds out what is the matter
            if function is None:
                self._begin(call)
                now = clock()
            else:
                has_result = False
                try:
                    kind = type(arguments)
                    if kind is dict:
                        result = function(**arguments)
                    elif kind is list:
                        result = function(*arguments)
                    elif arguments is None:
                        result = function()
                    else:
                        result = function(arguments)
                    has_result = True
                    if type(result) in scalars:
                        flags, data = 0, encode_scalar(result)
                    else:
                        flags, data = encode(result)
                    now = clock()
                    elapsed = now - began
                    if elapsed < slow and len(data) < small:
                        out += pack(len(data), result_kind, flags, elapsed // 1000, call_id) + data
                        if now < flush_at:
                            continue
                        return 0
                    self._replies.encoded(call_id, (flags, data), elapsed / 1e9)
                except PASSING_ERRORS:
                    raise
                except Sampled:
                    self._call_runner.begin(call)
                    return done
                except BaseException as error:
                    now = clock()
                    if has_result:
                        self._replies.result(call_id, result, (now - began) / 1e9)  # which says what is the matter with it
                    else:
                        self._call_runner.answer_failure(call, error, (now - began) / 1e9)
                if now - began > slow:
                    self._forget(head)
            if now > flush_at or len(out) > _FLUSH_BYTES:
                return 0
        if head in self._quick:
            self._rows.saw_good_batch(head, most)
        return 0

    def _begin(self, call):
        """Let the call runner do it, and learn from it."""
        self._call_runner.begin(call)
        head = call[1]
        command = self._plain.get(head)
        if command is not None and not command.is_slow:
            has_meta = flags_of(head) & FLAG_META
            self._quick[head] = with_meta(command) if has_meta else command.function

    def _forget(self, head):
        """Answers are sent before the next run of a command that has become slow."""
        self._plain[head].is_slow = True
        del self._quick[head]
        self._rows.exclude(head)
