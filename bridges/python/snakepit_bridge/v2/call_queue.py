"""Calls that wait for the main thread."""

from collections import deque


class CallQueue:
    """Readers append calls to `waiting`, the main thread takes them from its left; both are single steps of a deque.

    A call is `(id, head, body, received, milliseconds)`: its body without the deadline, when it was read, and, if its head has
    DEADLINE, how many milliseconds it had from then. The id 0 marks the end of a session, which takes its turn like a call.

    `late_cancels` has the ids that were cancelled while a command ran and that nobody knew: perhaps that of the running call.
    """

    __slots__ = ("waiting", "late_cancels")

    def __init__(self):
        self.waiting = deque()
        self.late_cancels = set()

    def take_out(self, call_id):
        """Remove a call that has not begun; False if there is none, or the main thread has just begun it."""
        for call in tuple(self.waiting):
            if call[0] == call_id:
                try:
                    self.waiting.remove(call)
                except ValueError:
                    return False
                return True
        return False
