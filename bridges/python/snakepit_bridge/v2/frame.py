"""Frames: a header of 12 bytes, length first, and a body."""

import struct

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


def pack_frame(kind, call_id, flags=0, aux=0, body=b""):
    """One frame as bytes."""
    return HEADER.pack(len(body), kind, flags, aux, call_id) + body
