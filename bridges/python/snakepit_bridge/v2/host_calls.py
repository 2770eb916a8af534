"""What the worker asks of its host, and who waits for the answers."""

import itertools
import threading

from ..errors import ProtocolError, host_failure
from .frame import HOST_CALL, HOST_RESULT


class HostCalls:
    """Numbers the questions and matches the answers. Questions come from any thread, answers from the reading one."""

    def __init__(self, writer, codec, replies):
        self._writer = writer
        self._codec = codec
        self._replies = replies
        self._numbers = itertools.count(1)
        self._waiting = {}

    def ask(self, call_id, method, args, on_answer, trace=None):
        """Send a question; `on_answer(kind, flags, body)` is called by the thread that reads the answer. `trace` is the span that asks."""
        question = {"method": method, "args": args, "call": call_id}
        if trace is not None:
            question["trace"] = trace
        flags, body = self._replies.encode(question, "host_call")
        number = self._next_number()
        self._waiting[number] = on_answer
        self._writer.add(HOST_CALL, number, flags, 0, body)
        self._writer.flush()

    def settle(self, kind, flags, number, body):
        """Hand an answer to whoever waits for it. Raises ProtocolError if nobody does."""
        on_answer = self._waiting.pop(number, None)
        if on_answer is None:
            raise ProtocolError("an answer to the host call %d, which was not made" % number)
        on_answer(kind, flags, body)

    def read(self, kind, flags, body):
        """The result of an answer. Raises HostError if the host refused, Cancelled if the call has ended."""
        value = self._codec.decode(body, flags)
        if kind == HOST_RESULT:
            return value
        raise host_failure(value)

    def _next_number(self):
        for number in self._numbers:
            number &= 0xFFFFFFFF
            if number and number not in self._waiting:
                return number


class Answer:
    """An answer that a thread waits for."""

    __slots__ = ("content", "_arrived")

    def __init__(self):
        self.content = None
        self._arrived = threading.Event()

    def __call__(self, kind, flags, body):
        self.content = (kind, flags, body)
        self._arrived.set()

    def wait(self):
        """Block until the answer is there."""
        self._arrived.wait()
