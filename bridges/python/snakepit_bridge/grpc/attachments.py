"""All hosts that are attached. On the gRPC thread, unless a method says otherwise."""

import itertools

from .attachment import Attachment
from .command_thread import SessionEnd
from .detached import Detached
from .values import Values


class Attachments:
    """Numbers the attachments; a number is not given again."""

    def __init__(self, parts):
        self._parts = parts
        self._numbers = itertools.count(1)
        self._by_number = {}
        limits = parts.limits
        values = Values("json", limits.max_frame_bytes, limits.max_depth, takes_typed_arrays=True)
        self._detached = []
        self.detached = self.create_detached(values)

    def __len__(self):
        return len(self._by_number)

    def find(self, number):
        """The attachment of this number, or None; 0 stands for callers without one."""
        return self._by_number.get(number) if number else self.detached

    def all_open(self):
        """All attachments, as a list. From any thread."""
        return list(self._by_number.values())

    def create(self, values, stream_credit):
        """An attachment for a host that is yet to hear of it."""
        return Attachment(next(self._numbers), values, stream_credit, self._parts)

    def add(self, attachment):
        """The worker's hello is on its way: whatever else is sent comes after it."""
        self._by_number[attachment.number] = attachment

    def create_detached(self, values):
        """What stands for callers without an attachment whose values are of one kind."""
        detached = Detached(values, self._parts.stream_credit, self._parts.doorbell)
        self._detached.append(detached)
        return detached

    def end(self, attachment):
        """A host has left: cancel its calls, and close its sessions."""
        if self._by_number.pop(attachment.number, None) is None:
            return
        for call in list(attachment.calls.values()):
            self._parts.dispatcher.cancel(call)
        attachment.close()
        if attachment.hooks.has_any:
            self._parts.command_thread.add(SessionEnd(attachment.hooks))

    def close_all(self):
        """The worker ends: give up what is left of the calls, and let every control stream end, once what was said before is sent."""
        for attachment in (*self._by_number.values(), *self._detached):
            for call in list(attachment.calls.values()):
                call.abandon()
        for attachment in self._by_number.values():
            attachment.close()
