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
        self.detached = Detached(values, parts.stream_credit, parts.doorbell)

    def __len__(self):
        return len(self._by_number)

    def find(self, number):
        """The attachment of this number, or None; 0 stands for callers without one."""
        return self._by_number.get(number) if number else self.detached

    def all_open(self):
        """All attachments, as a list. From any thread."""
        return list(self._by_number.values())

    def create(self, values, stream_credit):
        """Attach a host."""
        attachment = Attachment(next(self._numbers), values, stream_credit, self._parts)
        self._by_number[attachment.number] = attachment
        return attachment

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
        """Let every control stream end, once what was said before is sent."""
        for attachment in self._by_number.values():
            attachment.close()
