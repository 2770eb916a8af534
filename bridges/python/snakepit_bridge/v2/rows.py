"""Rows of calls of one command that is known to be short, run with less ado than one by one.

`docs/performance.md` says what this saves. What the calls of a row share is done once: looking up the command, decoding, reading the
clock, and making the answers' headers.
"""

from functools import partial
from itertools import islice
from time import perf_counter_ns

from .call_runner import PASSING_ERRORS
from .plain_meta import Sampled
from .replies import service_time

# Answers leave when so many are made, or so much time has passed.
_ROW_CALLS = 32
_ROW_NS = 100_000
# Fewer calls gain nothing.
LEAST_CALLS = 8
_PROBATION_BATCHES = 8


class Rows:
    """Runs rows on the main thread, of commands that have proved themselves.

    A command joins after eight batches of calls that were timed one by one and took less than 100 us each time. It leaves when a
    row takes longer, and its calls are timed one by one until it has proved itself again. The time of a row is shared out evenly;
    of one that took too long, all but its last call are said to have taken what they usually do.
    """

    def __init__(self, parts, small_bytes):
        self._answers = parts.row_answers
        self._codec = parts.codec
        self._waiting = parts.queue.waiting
        self._call_runner = parts.call_runner
        self._replies = parts.replies
        self._open_calls = parts.open_calls
        self._small_bytes = small_bytes
        self._brief = self._codec.scalars - {str}  # types whose values are never large
        self._proved = {}  # good batches in a row, by head
        self._usual_ns = {}  # how long a call takes, by the heads of the commands that have joined

    def saw_good_batch(self, head, calls):
        """A batch of so many calls, the last of this head, was timed, and all of it was over soon."""
        if calls < LEAST_CALLS:
            return
        proved = self._proved.get(head, 0) + 1
        self._proved[head] = proved
        if proved == _PROBATION_BATCHES:
            self._usual_ns[head] = _ROW_NS // _ROW_CALLS

    def exclude(self, head):
        """This command has to prove itself anew: it took long, or has arguments or results that need a closer look."""
        self._proved[head] = 0
        self._usual_ns.pop(head, None)

    def run(self, quick):
        """Run the row at the front of the queue, and return how many calls that were, 0 for none.

        `quick` has the functions of short commands by head.
        """
        waiting = self._waiting
        first = tuple(islice(waiting, LEAST_CALLS))
        if len(first) < LEAST_CALLS or first[-1][1] != first[0][1]:
            return 0
        head = first[0][1]
        usual_ns = self._usual_ns.get(head)
        if usual_ns is None:
            return 0
        calls = tuple(islice(waiting, min(_ROW_CALLS, _ROW_NS // usual_ns)))
        ids, heads, bodies, _, _ = zip(*calls)
        if heads.count(head) < len(heads):
            count = next(index for index, other in enumerate(heads) if other != head)
            if count < LEAST_CALLS:
                return 0
            calls, bodies = calls[:count], bodies[:count]
        values = self._codec.decode_row(bodies) if len(calls) >= LEAST_CALLS and all(ids) else None
        if values is None:
            self.exclude(head)
            return 0
        bodies = self._answers.begin(ids, usual_ns // 1000)
        return self._run(head, calls, values, quick[head], bodies)

    def _run(self, head, calls, values, function, bodies):
        take, answer, open_calls = self._waiting.popleft, bodies.append, self._open_calls
        encode, encode_brief, brief, small = self._codec.encode, self._codec.encode_scalar, self._brief, self._small_bytes
        taken, call, has_result, answer_last = None, None, False, None
        began = perf_counter_ns()
        try:
            for call, arguments in zip(calls, values):
                try:
                    taken = take()
                except IndexError:
                    taken = None  # the watchdog has taken cancelled calls out
                if taken is not call:
                    break
                open_calls.running_id = call[0]
                has_result = False
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
                if type(result) in brief:
                    answer(encode_brief(result))
                    continue
                flags, data = encode(result)
                if flags or len(data) >= small:
                    answer_last = partial(self._replies.encoded, call[0], (flags, data))
                    break
                answer(data)
        except PASSING_ERRORS:
            raise  # what is answered is added when the loop winds down
        except Sampled:
            answer_last = partial(self._begin_sampled, call)
        except BaseException as error:
            if has_result:
                answer_last = partial(self._replies.result, call[0], result)  # which says what is the matter with it
            else:
                answer_last = partial(self._call_runner.answer_failure, call, error)
        self._end(head, perf_counter_ns() - began, len(bodies), answer_last)
        if taken is not None and taken is not call:
            self._call_runner.begin(taken)
        return len(calls)

    def _begin_sampled(self, call, _):
        self._call_runner.begin(call)

    def _end(self, head, elapsed_ns, answered, answer_last):
        """Add the answers, and learn. `answer_last`, if not None, answers the last call, given how many seconds that took."""
        count = answered + (answer_last is not None)
        if elapsed_ns < _ROW_NS and count:
            usual_ns = last_ns = elapsed_ns // count
            self._usual_ns[head] = usual_ns or 1
            self._answers.add_frames(usual_ns // 1000)
        else:
            last_ns = max(0, elapsed_ns - self._usual_ns[head] * (count - 1))
            self._answers.add_frames(last_us=None if answer_last else service_time(last_ns / 1e9))
            self.exclude(head)
        if answer_last is not None:
            answer_last(last_ns / 1e9)
            self.exclude(head)
