"""Frames: a header of 12 bytes, length first, and a body."""

import struct

from ..errors import ProtocolError

HELLO = 0x01
CALL = 0x10
CANCEL = 0x11
CREDIT = 0x12
SHUTDOWN = 0x13
SESSION_CLOSED = 0x14
RELEASE = 0x15
RESULT = 0x20
ERROR = 0x21
CHUNK = 0x22
END = 0x23
PROGRESS = 0x24
LOG = 0x25
EVENT = 0x26
PING = 0x30
PONG = 0x31
HOST_CALL = 0x40
HOST_RESULT = 0x41
HOST_ERROR = 0x42

FLAG_STREAM = 0x01
FLAG_DEADLINE = 0x02
FLAG_META = 0x04
FLAG_TAGGED = 0x80

NAMED_COMMAND = 65535

HEADER = struct.Struct(">IBBHI")
HEADER_BYTES = HEADER.size
DEADLINE = struct.Struct(">I")

# A header read another way: kind, flags and aux as one number, its _head_, which most decisions can be made from at once; and the
# first bytes of what follows, where a call has its deadline.
OPENING = struct.Struct(">IIII")


def head_of(kind, flags, aux):
    """Kind, flags and aux as one number."""
    return kind << 24 | flags << 16 | aux


def flags_of(head):
    """The flags of a head."""
    return head >> 16 & 0xFF


def aux_of(head):
    """The aux of a head; of a call, its command's index."""
    return head & 0xFFFF


def call_of(head, call_id, body, received):
    """A frame as CallQueue holds it, with the deadline taken off its body. Raises ProtocolError."""
    if not flags_of(head) & FLAG_DEADLINE:
        return call_id, head, body, received, 0
    if len(body) < DEADLINE.size:
        raise missing_deadline()
    return call_id, head, body[DEADLINE.size :], received, DEADLINE.unpack_from(body)[0]


def missing_deadline():
    """The error of a call that is flagged DEADLINE and has none."""
    return ProtocolError("a call with DEADLINE whose body is too short for one")


def pack_frame(kind, call_id, flags=0, aux=0, body=b""):
    """One frame as bytes."""
    return HEADER.pack(len(body), kind, flags, aux, call_id) + body
