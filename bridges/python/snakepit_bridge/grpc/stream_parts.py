"""What a stream has yet to send, and how it is put into items."""

from .generated.worker_pb2 import StreamItem
from .values import TAGGED
from .wire import body_of

MAX_ITEM_BYTES = 64 * 1024


class ProgressPart:
    """A progress between chunks; a chunk is just its `(flags, bytes)`."""

    __slots__ = ("encoded",)

    def __init__(self, encoded):
        self.encoded = encoded


def take_item(parts, max_bytes):
    """The next item of `parts`, a deque that is not empty: its first chunk whatever its size, others up to `max_bytes` in all.

    Progress comes before the chunks of an item, so that one behind chunks begins the next item.
    """
    item = StreamItem()
    add, take = item.chunks.add, parts.popleft
    size = 0
    while parts:
        part = parts[0]
        if type(part) is ProgressPart:
            if size or item.HasField("progress"):
                break
            item.progress.CopyFrom(body_of(part.encoded))
            take()
            continue
        flags, data = part
        new_size = size + len(data) + 1
        if new_size > max_bytes and size:
            break
        size = new_size
        chunk = add()
        chunk.data = data
        if flags & TAGGED:
            chunk.tagged = True
        take()
    return item
