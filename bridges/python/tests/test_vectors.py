"""The golden vectors that every implementation must read and write."""

import json
import os
import struct
import unittest
from datetime import datetime, timedelta, timezone

from snakepit_bridge.codec import create_codec
from snakepit_bridge.codec.binary import BinaryForm
from snakepit_bridge.codec.json_codec import TAGGED
from snakepit_bridge.errors import ProtocolError, RefusedValue
from snakepit_bridge.v1.channel import PlainJsonCodec
from snakepit_bridge.v2.frame import DEADLINE, FLAG_DEADLINE, aux_of, flags_of, pack_frame
from snakepit_bridge.v2.reader import FrameReader

from . import require_msgpack

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "..", "proto", "vectors")
MAX_DEPTH = 64
FORMATS = {
    "i1": "b",
    "u1c": "@B",
    "i2": "h",
    "u2": "H",
    "i4": "i",
    "u4": "I",
    "i8": "q",
    "u8": "Q",
    "f4": "f",
    "f8": "d",
    "raw": "c",
}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def load(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return json.load(file)


def read_notation(value):
    """The Python value of a vector's notation."""
    if isinstance(value, list):
        return [read_notation(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (name, content), = value.items()
        if name == "$int":
            return int(content)
        if name == "$float":
            return float(content)
        if name == "$time":
            return EPOCH + (datetime.fromisoformat(content.replace("Z", "+00:00")) - EPOCH)
        if name == "$bin":
            return bytes.fromhex(content)
        if name == "$typed":
            return memoryview(bytes.fromhex(content[1])).cast(FORMATS[content[0]])
        if name == "$esc":
            value = content
    return {key: read_notation(item) for key, item in value.items()}


def exact(value):
    """A text that tells apart what `==` does not: 1 and True, 0.0 and -0.0, nan."""
    if isinstance(value, list):
        return [exact(item) for item in value]
    if isinstance(value, dict):
        return [(key, exact(item)) for key, item in value.items()]
    if isinstance(value, float) and value.is_integer() and str(value) != "-0.0":
        return repr(int(value))  # JSON does not tell 1.0 from 1
    if isinstance(value, memoryview):
        return "%s %s" % (value.format, value.tobytes().hex())
    if isinstance(value, datetime):
        return "time %d" % ((value - EPOCH) // timedelta(milliseconds=1))
    return repr(value)


class Values(unittest.TestCase):
    def check_codec(self, name):
        codec = create_codec(name, MAX_DEPTH, BinaryForm(None, 1 << 20))
        for case in load("values.json")["cases"]:
            if name not in case:
                continue
            with self.subTest(codec=name, case=case["name"]):
                value = read_notation(case["value"])
                body = bytes.fromhex(case[name]["hex"])
                flags = TAGGED if case[name].get("tagged") else 0
                self.assertEqual(exact(codec.decode(bytearray(body), flags)), exact(value))
                if not case.get("decodeOnly"):
                    encoded_flags, encoded = codec.encode(value)
                    self.assertEqual(encoded.hex(), body.hex())
                    self.assertEqual(encoded_flags, flags)

    def check_refused(self, name):
        codec = create_codec(name, MAX_DEPTH)
        for case in load("values.json")["refused"]:
            if case["codec"] != name:
                continue
            with self.subTest(codec=name, case=case["name"]):
                with self.assertRaises((ProtocolError, RefusedValue)):
                    codec.decode(bytearray.fromhex(case["hex"]), TAGGED if case["tagged"] else 0)

    def test_json_bodies_are_read_and_written_byte_for_byte(self):
        self.check_codec("json")

    def test_malformed_json_bodies_are_refused(self):
        self.check_refused("json")

    def test_messagepack_bodies_are_read_and_written_byte_for_byte(self):
        require_msgpack()
        self.check_codec("msgpack")

    def test_malformed_messagepack_bodies_are_refused(self):
        require_msgpack()
        self.check_refused("msgpack")


class OneWrite:
    """Stands in for a socket that has received some bytes at once."""

    def __init__(self, data):
        self.data = data

    def recv_into(self, target, count, flags):
        target[: len(self.data)] = self.data
        return len(self.data)


def frame_of(number, head, body, received, milliseconds):
    """The fields of a call, with its deadline put back before its body."""
    flags = flags_of(head)
    deadline = DEADLINE.pack(milliseconds) if flags & FLAG_DEADLINE else b""
    return (head >> 24, flags, aux_of(head), number, deadline + bytes(body))


def read_frames(data, max_frame_bytes):
    frames = []
    reader = FrameReader(OneWrite(data), max_frame_bytes)
    reader.receive(is_blocking=True)
    reader.parse(
        lambda call: frames.append(frame_of(*call)),
        lambda kind, flags, aux, number, body, received: frames.append((kind, flags, aux, number, bytes(body))),
        0.0,
    )
    return frames


class Frames(unittest.TestCase):
    def test_frames_are_read_and_written_byte_for_byte(self):
        for case in load("frames.json")["cases"]:
            with self.subTest(case=case["name"]):
                frame, body = case["frame"], bytes.fromhex(case["bodyHex"])
                data = bytes.fromhex(case["hex"])
                self.assertEqual(pack_frame(frame["kind"], frame["id"], frame["flags"], frame["aux"], body), data)
                expected = (frame["kind"], frame["flags"], frame["aux"], frame["id"], body)
                self.assertEqual(read_frames(data, 1 << 26), [expected])

    def test_too_long_frames_are_refused_from_their_header(self):
        for case in load("frames.json")["refused"]:
            with self.subTest(case=case["name"]):
                with self.assertRaises(ProtocolError):
                    read_frames(bytes.fromhex(case["hex"]), case["maxFrameBytes"])


class V1Messages(unittest.TestCase):
    def test_messages_are_read_and_written_byte_for_byte(self):
        require_msgpack()
        codecs = {"json": PlainJsonCodec(MAX_DEPTH), "msgpack": create_codec("msgpack", MAX_DEPTH)}
        for case in load("v1.json")["cases"]:
            with self.subTest(case=case["name"]):
                codec, data = codecs[case["codec"]], bytes.fromhex(case["hex"])
                message = read_notation(case["message"])
                self.assertEqual(struct.unpack(">I", data[:4])[0], len(data) - 4)
                self.assertEqual(exact(codec.decode(data[4:])), exact(message))
                if not case.get("decodeOnly"):
                    self.assertEqual(codec.encode(message)[1].hex(), data[4:].hex())
