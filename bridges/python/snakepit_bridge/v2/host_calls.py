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
        self._encode = replies.encode_host_call
        self._numbers = itertools.count(1)
        self._waiting = {}

    def ask(self, call_id, method, args, on_answer, trace=None):
        """Send a question; `on_answer(kind, flags, body)` is called by the thread that reads the answer. `trace` is the span that asks."""
        self.add(call_id, method, args, on_answer, trace)
        self._writer.flush()

    def add(self, call_id, method, args, on_answer, trace=None):
        """Have a question sent by the next flush."""
        flags, body = self._encode(method, args, call_id, trace)
        waiting = self._waiting
        number = next(self._numbers) & 0xFFFFFFFF
        while number == 0 or number in waiting:
            number = next(self._numbers) & 0xFFFFFFFF
        waiting[number] = on_answer
        self._writer.add(HOST_CALL, number, flags, 0, body)

    def settle(self, kind, flags, number, body):
        """Hand an answer to whoever waits for it. Raises ProtocolError if nobody does."""
        on_answer = self._waiting.pop(number, None)
        if on_answer is None:
            raise ProtocolError("an answer to the host call %d, which was not made" % number)
        on_answer(kind, flags, body)

    def read(self, kind, flags, body):
        """The result of an answer. Raises HostError if the host refused, Cancelled if the call has ended."""
        if kind != HOST_RESULT:
            raise host_failure(self._codec.decode(body, flags))
        if flags == 0:
            try:
                return self._codec.decode_plain(body)
            except Exception:
                pass  # `decode` knows more
        return self._codec.decode(body, flags)


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
