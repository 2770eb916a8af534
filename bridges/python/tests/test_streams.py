"""Streams: credit, fairness, cancellation."""

import unittest

from snakepit_bridge.v2 import frame as f

from . import require_msgpack
from .host import Host, write_module

MODULE = '''
    import asyncio
    from snakepit_bridge import command

    advanced = []

    @command
    def count(n, ctx):
        try:
            for i in range(n):
                advanced.append(i)
                yield {"i": i}
        finally:
            ctx.emit("closed", None)

    @command
    async def acount(n, ctx):
        try:
            for i in range(n):
                advanced.append(i)
                yield {"i": i}
                await asyncio.sleep(0)
        finally:
            ctx.emit("closed", None)

    @command
    def seen():
        return len(advanced)

    @command
    def fails_at(n):
        yield from range(n)
        raise KeyError(n)

    @command
    def unencodable():
        yield 1
        yield object()
'''


class Streams(unittest.TestCase):
    codec = "json"

    def setUp(self):
        self.host = Host(self, write_module(self, MODULE), self.codec, streamCredit=4)

    def chunks(self, number, count):
        frames = [self.host.receive() for _ in range(count)]
        self.assertEqual([(frame.kind, frame.id) for frame in frames], [(f.CHUNK, number)] * count)
        return [frame.body for frame in frames]

    def check_credit(self, name):
        self.host.call(1, name, [7], stream=True)
        self.assertEqual(self.chunks(1, 4), [{"i": i} for i in range(4)])
        self.assertEqual(self.host.result(2, "seen"), 4)
        self.host.credit(1, 2)
        self.assertEqual(self.chunks(1, 2), [{"i": 4}, {"i": 5}])
        self.assertEqual(self.host.result(3, "seen"), 6)
        self.host.credit(1, 10)
        self.assertEqual(self.chunks(1, 1), [{"i": 6}])
        self.assertEqual(self.host.receive().body["name"], "closed")
        end = self.host.receive()
        self.assertEqual((end.kind, end.id), (f.END, 1))

    def test_a_generator_is_never_advanced_beyond_its_credit(self):
        self.check_credit("count")

    def test_an_async_generator_is_never_advanced_beyond_its_credit(self):
        self.check_credit("acount")

    def check_cancel(self, name):
        self.host.call(1, name, [100], stream=True)
        self.chunks(1, 4)
        self.host.cancel(1)
        self.assertEqual(self.host.receive().body["name"], "closed")
        error = self.host.receive()
        self.assertEqual((error.kind, error.body["code"], error.body["started"]), (f.ERROR, "CANCELLED", True))
        self.assertEqual(self.host.result(2, "seen"), 4)

    def test_cancelling_closes_a_generator(self):
        self.check_cancel("count")

    def test_cancelling_closes_an_async_generator(self):
        self.check_cancel("acount")

    def test_credit_granted_before_the_command_begins_counts(self):
        self.host.call(1, "count", [6], stream=True)
        self.host.credit(1, 2)
        self.assertEqual(len(self.chunks(1, 6)), 6)

    def test_a_flowing_stream_does_not_starve_calls(self):
        self.host.call(1, "count", [10**9], stream=True)
        for _ in range(100):
            self.host.credit(1, 60000)
        self.host.call(2, "seen")
        self.assertLess(self.host.receive_kind(f.RESULT, 2).body, 6_000_000)
        self.host.cancel(1)
        self.assertEqual(self.host.receive_kind(f.ERROR, 1).body["code"], "CANCELLED")

    def test_two_streams_interleave(self):
        with self.host.one_write():  # or the first might be done before the second arrives
            for number in (1, 2):
                self.host.call(number, "count", [10**6], stream=True)
                self.host.credit(number, 2000)
        order = [self.host.receive().id for _ in range(4008)]
        self.assertEqual((order.count(1), order.count(2)), (2004, 2004))
        self.assertLess(order.index(2), 1000)

    def test_an_exception_ends_a_stream_after_its_chunks(self):
        self.host.call(1, "fails_at", [2], stream=True)
        self.assertEqual(self.chunks(1, 2), [0, 1])
        error = self.host.receive()
        self.assertEqual((error.kind, error.body["type"]), (f.ERROR, "KeyError"))

    def test_an_unencodable_chunk_ends_a_stream(self):
        self.host.call(1, "unencodable", stream=True)
        self.assertEqual(self.chunks(1, 1), [1])
        self.assertEqual(self.host.receive().body["code"], "INVALID_RESULT")

    def test_a_stream_called_without_the_flag_is_refused(self):
        for number, name in ((1, "count"), (2, "acount")):
            self.assertEqual(self.host.error(number, name, [1])["code"], "INVALID_ARGUMENTS")
        self.assertEqual(self.host.result(3, "seen"), 0)


class MessagePackStreams(Streams):
    codec = "msgpack"

    def setUp(self):
        require_msgpack()
        super().setUp()
