"""What asynchronous commands ask of the host."""

from asyncio import CancelledError

from ..doorbell import Doorbell

# The host begins to answer the first ones while the others are asked.
_SENT_TOGETHER = 16


class AsyncQuestions:
    """Asks on behalf of the event loop's tasks, from its thread; what is asked in one turn of the loop leaves together."""

    def __init__(self, runner, host_calls, writer):
        self.loop = runner.loop
        self.read = host_calls.read
        self.ring = Doorbell(runner.loop, PendingAnswer.settle).ring
        self._add = host_calls.add
        self._flush = writer.flush
        self._flush_soon = runner.flush_soon
        self._asked = 0

    def ask(self, call_id, method, args, trace):
        """Ask; returns a PendingAnswer."""
        answer = PendingAnswer(self)
        self._add(call_id, method, args, answer, trace)
        self._asked += 1
        if self._asked % _SENT_TOGETHER:
            self._flush_soon()
        else:
            self._flush()
        return answer


class PendingAnswer:
    """The answer to a question, for one task, which awaits it at once: the value, or the error that the host refused by.

    It is a future as far as a task asks for one (see `asyncio.isfuture`). One of asyncio's own has each task woken by a handle in the event
    loop's queue, which costs as much as the task's own steps; this one runs the task where its answer is taken in.
    """

    _asyncio_future_blocking = False
    _content = None
    _wake = None
    _context = None
    _is_done = False
    _cancelled = None

    def __init__(self, questions):
        self._questions = questions

    def __call__(self, *content):
        """Take the answer. From the reading thread."""
        self._content = content
        self._questions.ring(self)

    def settle(self):
        """Run the task until it waits again, unless it has been cancelled. From the event loop's thread, between tasks."""
        if not self._is_done:
            self._is_done = True
            self._context.run(self._wake, self)

    def __await__(self):
        self._asyncio_future_blocking = True
        yield self
        return self._questions.read(*self._content)

    def add_done_callback(self, wake, *, context):
        """What a task does with what it waits for."""
        self._wake = wake
        self._context = context

    def result(self):
        """What a task that was woken looks at first: raises CancelledError where it was cancelled."""
        if self._cancelled is not None:
            raise self._cancelled

    def cancel(self, msg=None):
        """What a task that is cancelled does; False where it has been woken."""
        if self._is_done:
            return False
        self._is_done = True
        self._cancelled = CancelledError() if msg is None else CancelledError(msg)
        self._questions.loop.call_soon(self._wake, self, context=self._context)
        return True

    def get_loop(self):
        """The event loop whose tasks may await it."""
        return self._questions.loop
