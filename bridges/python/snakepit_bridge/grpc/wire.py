"""Bodies as messages."""

from .generated.worker_pb2 import Body
from .values import TAGGED


def body_of(encoded):
    """The Body of a value that was encoded as `(flags, bytes)`."""
    flags, data = encoded
    return Body(data=data, tagged=True) if flags & TAGGED else Body(data=data)


def flags_of(body):
    """The flags that a codec wants to be told of a Body."""
    return TAGGED if body.tagged else 0
