"""Frames that do not fit the buffers: how they are received, encoded and sent."""

import platform
import socket
import subprocess
import sys
import threading
import unittest

from snakepit_bridge.codec.split_body import SplitBody
from snakepit_bridge.v2.frame import CALL, FLAG_DEADLINE, HEADER, HEADER_BYTES, RESULT, head_of, pack_frame
from snakepit_bridge.v2.reader import FrameReader
from snakepit_bridge.v2.writer import FrameWriter

from . import PACKAGE_FOLDER, require_msgpack

MB = 1 << 20


class LargeFrames(unittest.TestCase):
    def setUp(self):
        self.ours, self.hosts = socket.socketpair()
        self.addCleanup(self.ours.close)
        self.addCleanup(self.hosts.close)

    def test_a_large_body_is_received_once_and_can_be_cut_without_a_copy(self):
        body = bytes(range(256)) * 4096
        sender = threading.Thread(target=self.hosts.sendall, args=(pack_frame(CALL, 7, FLAG_DEADLINE, 0, body),))
        sender.start()
        reader, calls = FrameReader(self.ours, 2 * MB), []
        while not calls:
            reader.receive(True)
            reader.parse(calls.append, self.fail, 0.0)
        sender.join()
        ((call_id, head, received, _, milliseconds),) = calls
        self.assertEqual((call_id, head), (7, head_of(CALL, FLAG_DEADLINE, 0)))
        self.assertEqual(milliseconds, int.from_bytes(body[:4], "big"))
        self.assertEqual(received, body[4:])
        self.assertIs(type(received.obj), bytearray)
        self.assertEqual(len(received.obj), len(body) + HEADER_BYTES)

    def test_parts_arrive_in_a_row_even_if_the_socket_takes_them_bit_by_bit(self):
        # With a timeout the socket takes what it has room for.
        self.ours.settimeout(10)
        writer = FrameWriter(self.ours)
        writer.open(b"hello")
        chunks = []
        bodies = [SplitBody(b"head", b"a" * MB), b"b" * MB, SplitBody(b"", b"c" * MB), SplitBody(b"d" * MB, b"e")]
        receiver = threading.Thread(target=self._receive, args=(chunks,))
        receiver.start()
        for number, body in enumerate(bodies):
            writer.add(RESULT, number, body=body)
        self.ours.shutdown(socket.SHUT_WR)
        receiver.join()
        expected = b"hello" + b"".join(HEADER.pack(len(body), RESULT, 0, 0, n) + bytes(body) for n, body in enumerate(bodies))
        self.assertTrue(b"".join(chunks) == expected)

    def test_parts_wait_as_any_frame_until_the_hello_is_sent(self):
        writer = FrameWriter(self.ours)
        writer.add(RESULT, 1, body=SplitBody(b"he", b"llo" * 30000))
        writer.open(b"")
        self.assertEqual(self.hosts.recv(12 + 5), HEADER.pack(90002, RESULT, 0, 0, 1) + b"hello")

    def _receive(self, chunks):
        while True:
            chunk = self.hosts.recv(MB)
            if not chunk:
                return
            chunks.append(chunk)


class LargeBinary(unittest.TestCase):
    def test_bytes_are_encoded_where_they_lie(self):
        msgpack = require_msgpack()

        from snakepit_bridge.codec.binary import BinaryForm
        from snakepit_bridge.codec.msgpack_codec import MsgpackCodec

        codec = MsgpackCodec(8, BinaryForm(None, MB))
        for count in (0, 300, 64 * 1024 - 1, 64 * 1024, MB):
            value = b"x" * count
            flags, body = codec.encode(value)
            self.assertEqual((flags, len(body), bytes(body)), (0, len(bytes(body)), msgpack.packb(value)))
        self.assertIs(body.tail, value)
        self.assertEqual(codec.encode([value]), (0, msgpack.packb([value])))

    def test_large_bodies_are_checked_as_small_ones_are(self):
        msgpack = require_msgpack()

        from snakepit_bridge.codec.msgpack_codec import MsgpackCodec
        from snakepit_bridge.errors import ProtocolError, RefusedValue

        codec = MsgpackCodec(3)
        noise = b"\xd7\xff\xff\xc7\x0c\xff\xff\x93" * 10000
        self.assertEqual(codec.decode(memoryview(msgpack.packb({"data": noise, "list": [1]}))), {"data": noise, "list": [1]})
        self.assertEqual(codec.decode(memoryview(msgpack.packb([1.5] * 10000))), [1.5] * 10000)
        with self.assertRaises(RefusedValue):
            codec.decode(memoryview(msgpack.packb([noise, [[[1]]]])))
        for bad in (b"\x81\xc4\x01k\x01", b"\xd7\xff" + b"\xff" * 8):
            with self.assertRaises(ProtocolError):
                codec.decode(memoryview(b"\x92" + msgpack.packb(noise) + bad))


class FreedMemory(unittest.TestCase):
    @unittest.skipUnless(platform.libc_ver()[0] == "glibc", "other C libraries do not learn")
    def test_a_buffer_is_made_of_pages_that_a_freed_one_has_left(self):
        script = (
            "import resource, sys\n"
            "from snakepit_bridge.v2.heap import keep_freed_memory\n"
            "keep_freed_memory()\n"
            "def faults():\n"
            "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
            "for _ in range(20):\n"
            "    before = faults()\n"
            "    buffers = [b'x' * (1 << 20) for _ in range(16)]\n"
            "    del buffers\n"
            "print(faults() - before)\n"
        )
        command = [sys.executable, "-c", script]
        ended = subprocess.run(command, cwd=PACKAGE_FOLDER, stdout=subprocess.PIPE, check=True, text=True)
        self.assertLess(int(ended.stdout), 400)  # 16 MB have 4096 pages


if __name__ == "__main__":
    unittest.main()
