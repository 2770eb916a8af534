"""The reader of frames, from a real socket."""

import random
import socket
import threading
import unittest

from snakepit_bridge.v2.frame import EVENT, pack_frame
from snakepit_bridge.v2.reader import FrameReader

MANY = random.Random(1).choices([0, 30, 4_000, 15_989, 16_384, 70_000, 262_128, 262_145, 1_000_000], k=300)


class Reading(unittest.TestCase):
    def read(self, sizes):
        """What arrives of frames with bodies of these sizes, each body full of its frame's number."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        data = b"".join(pack_frame(EVENT, number, body=bytes([number % 256]) * size) for number, size in enumerate(sizes, 1))
        sender = threading.Thread(target=theirs.sendall, args=(data,))
        sender.start()
        reader, frames = FrameReader(ours, 2_000_000), []
        while len(frames) < len(sizes):
            reader.receive(is_blocking=True)
            reader.parse(self.fail, lambda kind, flags, aux, number, body, received: frames.append((number, bytes(body))), 0.0)
        sender.join()
        return frames

    def test_frames_of_any_size_come_whole_and_in_order(self):
        for number, body in self.read(MANY):
            self.assertEqual(body, bytes([number % 256]) * MANY[number - 1])

    def test_a_first_frame_that_is_larger_than_the_first_buffer_comes_whole(self):
        for size in (16_368, 16_369, 65_521, 262_128, 262_129):
            self.assertEqual(self.read([size]), [(1, bytes([1]) * size)])


if __name__ == "__main__":
    unittest.main()
