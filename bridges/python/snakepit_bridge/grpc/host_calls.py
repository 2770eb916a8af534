"""What the worker asks of one host, and who waits for the answers."""

import itertools
import threading

from ..errors import REMOTE_ERROR, Cancelled, host_failure
from .generated.worker_pb2 import HostCall, WorkerMessage
from .wire import body_of, flags_of


class HostCalls:
    """Numbers the questions and matches the answers. Questions come from any thread, answers from the gRPC thread."""

    def __init__(self, attachment):
        self._attachment = attachment
        self._numbers = itertools.count(1)
        self._waiting = {}

    def ask(self, call_number, method, args, on_answer, trace=None):
        """Send a question; `on_answer(reply)` is called on the gRPC thread, with None if the host has left. `trace` is the span that asks."""
        body = body_of(self._attachment.values.encode(args, "host_call"))
        number = self._next_number()
        self._waiting[number] = on_answer
        self._attachment.send(
            WorkerMessage(host_call=HostCall(id=number, call=call_number, method=method, args=body, **(trace or {})))
        )
        if not self._attachment.is_open:
            self.end()

    def settle(self, reply):
        """Hand an answer to whoever waits for it; there may be nobody any more."""
        on_answer = self._waiting.pop(reply.id, None)
        if on_answer is not None:
            on_answer(reply)

    def read(self, reply):
        """The result of an answer. Raises HostError if the host refused, Cancelled if it has left."""
        if reply is None:
            raise Cancelled("the host has left; it cannot answer")
        if reply.HasField("failure"):
            raise host_failure(self._described(reply.failure))
        return self._attachment.values.decode(reply.result.data, flags_of(reply.result))

    def _described(self, failure):
        described = {"code": failure.code or REMOTE_ERROR, "message": failure.message, "type": failure.type or None}
        if failure.HasField("data"):
            described["data"] = self._attachment.values.decode(failure.data.data, flags_of(failure.data))
        return described

    def end(self):
        """Let nobody wait any more, since the host has left."""
        while self._waiting:
            try:
                _, on_answer = self._waiting.popitem()
            except KeyError:
                return
            on_answer(None)

    def _next_number(self):
        for number in self._numbers:
            number &= 0xFFFFFFFF
            if number and number not in self._waiting:
                return number


class Answer:
    """An answer that a thread waits for."""

    __slots__ = ("_reply", "_arrived")

    def __init__(self):
        self._reply = None
        self._arrived = threading.Event()

    def __call__(self, reply):
        self._reply = reply
        self._arrived.set()

    def wait(self):
        """Block until the answer is there, and return it."""
        self._arrived.wait()
        return self._reply
