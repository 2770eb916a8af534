"""Streams over gRPC: order, credit, slow consumers, endings."""

import os
import time
import unittest

import grpc

from .grpc_host import Host, pb
from .host import write_module

MODULE = '''
    import asyncio, os
    from snakepit_bridge import command

    folder = os.path.dirname(__file__)
    made = [0]

    @command
    def numbers(n, ctx):
        for at in range(n):
            made[0] = at + 1
            yield at

    @command
    async def numbers_async(n):
        for at in range(n):
            made[0] = at + 1
            yield at

    @command
    async def made_so_far():
        return made[0]

    @command
    def with_progress(ctx):
        ctx.progress("a")
        yield 1
        yield 2
        ctx.progress("b")
        ctx.progress("c")
        yield 3
        ctx.log.info("end")

    @command
    def fails(n):
        yield from range(n)
        raise ValueError("bad" * 3000)

    @command
    def endless():
        try:
            while True:
                yield 1
        finally:
            open(os.path.join(folder, "closed"), "w").close()

    @command
    async def endless_async():
        try:
            while True:
                yield 1
                await asyncio.sleep(0)
        finally:
            open(os.path.join(folder, "closed"), "w").close()

    @command
    def large(count, size):
        for _ in range(count):
            yield b"x" * size

    @command
    def value():
        return 5

    @command
    async def value_async():
        return 6

    @command
    def unencodable():
        yield 1
        yield object()
'''


class Streams(unittest.TestCase):
    stream_credit = 100_000

    def setUp(self):
        self.path = write_module(self, MODULE)
        self.host = Host(self, self.path, hello={"stream_credit": self.stream_credit})

    def all_of(self, items):
        """Chunks and the end of a stream."""
        chunks, end = [], None
        for item in items:
            self.assertIsNone(end)
            chunks += self.host.chunks(item)
            end = item.end if item.HasField("end") else None
        return chunks, end

    def failure_of(self, items):
        chunks = []
        with self.assertRaises(grpc.RpcError) as caught:
            for item in items:
                chunks += self.host.chunks(item)
        data = dict(caught.exception.trailing_metadata()).get("snakepit-failure-bin")
        return chunks, caught.exception.code(), data and pb.Failure.FromString(data)

    def check_closed(self):
        deadline = time.monotonic() + 20
        while not os.path.exists(os.path.join(os.path.dirname(self.path), "closed")):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)

    def test_all_chunks_come_in_order(self):
        for name in ("numbers", "numbers_async"):
            chunks, end = self.all_of(self.host.stream(1, name, [1000]))
            self.assertEqual(chunks, list(range(1000)))
            self.assertGreater(end.service_us, 0)

    def test_an_empty_stream_ends(self):
        self.assertEqual(self.all_of(self.host.stream(1, "numbers", [0]))[0], [])

    def test_chunks_that_are_ready_together_share_an_item(self):
        self.assertLess(len(list(self.host.stream(1, "numbers", [1000]))), 500)

    def test_no_item_has_more_than_64_kb_of_several_chunks(self):
        sizes = [[len(chunk.data) for chunk in item.chunks] for item in self.host.stream(1, "large", [50, 10_000])]
        self.assertEqual(sum(map(len, sizes)), 50)
        self.assertLessEqual(max(map(sum, sizes)), 64 * 1024)
        sizes = [[len(chunk.data) for chunk in item.chunks] for item in self.host.stream(2, "large", [5, 100_000])]
        self.assertEqual(max(map(len, sizes)), 1)

    def test_progress_is_in_order_with_the_chunks(self):
        seen, notices = [], None
        for item in self.host.stream(1, "with_progress"):
            if item.HasField("progress"):
                seen.append(self.host.value(item.progress))
            seen += self.host.chunks(item)
            notices = item.end.notices
        self.assertEqual((seen, notices), (["a", 1, 2, "b", "c", 3], 1))
        self.host.wait_for("log", lambda log: log.call == 1)

    def test_a_failure_comes_after_the_chunks(self):
        chunks, status, failure = self.failure_of(self.host.stream(1, "fails", [10]))
        self.assertEqual((chunks, status), (list(range(10)), grpc.StatusCode.UNKNOWN))
        self.assertEqual((failure.abridged, failure.notices), (True, 1))
        self.assertEqual(len(self.host.wait_for("failure").failure.message), 9000)
        chunks, status, failure = self.failure_of(self.host.stream(2, "unencodable"))
        self.assertEqual((chunks, status, failure.code), ([1], grpc.StatusCode.INTERNAL, "INVALID_RESULT"))

    def test_a_call_may_be_taken_as_a_stream(self):
        self.assertEqual(self.all_of(self.host.stream(1, "value"))[0], [5])
        self.assertEqual(self.all_of(self.host.stream(2, "value_async"))[0], [6])

    def test_many_streams_take_turns(self):
        streams = [self.host.stream(n, "numbers" if n % 2 else "numbers_async", [200]) for n in range(1, 21)]
        for items in streams:
            self.assertEqual(self.all_of(items)[0], list(range(200)))

    def check_cancelled(self, name):
        items = self.host.stream(1, name)
        next(items)
        self.host.send(cancel=pb.Cancel(call=1, reason=pb.CANCEL_REASON_CALLER))
        _, status, failure = self.failure_of(items)
        self.assertEqual((status, failure.code, failure.started), (grpc.StatusCode.CANCELLED, "CANCELLED", True))
        self.check_closed()

    def test_a_cancelled_stream_is_closed(self):
        self.check_cancelled("endless")

    def test_a_cancelled_asynchronous_stream_is_closed(self):
        self.check_cancelled("endless_async")

    def test_a_stream_that_is_reset_is_closed_and_released(self):
        items = self.host.stream(1, "endless")
        next(items)
        items.cancel()
        self.assertEqual(self.host.wait_for("released").call, 1)
        self.check_closed()

    def test_a_deadline_closes_a_stream(self):
        items = self.host.stream(1, "endless", timeout=0.3)
        _, status, failure = self.failure_of(items)
        self.assertEqual((status, failure), (grpc.StatusCode.DEADLINE_EXCEEDED, None))
        self.assertEqual(self.host.wait_for("released").call, 1)
        self.check_closed()


class Credit(Streams):
    """The same with little credit, which the host never raises unless it must."""

    stream_credit = 4

    def all_of(self, items):
        return super().all_of(self.crediting(items))

    def failure_of(self, items):
        return super().failure_of(self.crediting(items))

    def crediting(self, items, number=None):
        for item in items:
            for call in range(1, 21):
                self.host.send(credit=pb.Credit(call=call, chunks=len(item.chunks)))
            yield item

    def test_chunks_that_are_ready_together_share_an_item(self):
        self.assertEqual(len(self.all_of(self.host.stream(1, "numbers", [100]))[0]), 100)

    def test_no_item_has_more_than_64_kb_of_several_chunks(self):
        sizes = [len(item.chunks) for item in self.crediting(self.host.stream(1, "large", [20, 30_000]))]
        self.assertLessEqual(max(sizes), 2)

    def check_suspended(self, name):
        items = self.host.stream(1, name, [100])
        got = []
        while len(got) < 4:
            got += self.host.chunks(next(items))
        self.assertEqual(got, [0, 1, 2, 3])
        self.assertLessEqual(self.host.call(2, "made_so_far").value, 5)
        self.host.send(credit=pb.Credit(call=1, chunks=2))
        while len(got) < 6:
            got += self.host.chunks(next(items))
        self.assertEqual(got, list(range(6)))
        self.assertLessEqual(self.host.call(3, "made_so_far").value, 7)
        self.host.send(credit=pb.Credit(call=1, chunks=1000))
        for item in items:
            got += self.host.chunks(item)
        self.assertEqual(got, list(range(100)))

    def test_a_stream_is_suspended_without_credit(self):
        self.check_suspended("numbers")

    def test_an_asynchronous_stream_is_suspended_without_credit(self):
        self.check_suspended("numbers_async")

    def test_a_suspended_stream_can_be_cancelled(self):
        items = self.host.stream(1, "endless")
        got = []
        while len(got) < 4:
            got += self.host.chunks(next(items))
        self.host.send(cancel=pb.Cancel(call=1))
        with self.assertRaises(grpc.RpcError) as caught:
            next(items)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.CANCELLED)
        self.check_closed()


class SlowConsumers(unittest.TestCase):
    """HTTP/2's flow control holds back a stream of a caller without an attachment."""

    def test_a_stream_waits_for_a_caller_who_does_not_read(self):
        host = Host(self, write_module(self, MODULE), listen=["127.0.0.1:0"])
        host.attachment = 0
        host.stream(0, "numbers", [3])
        items = host.stubs = host.stream(0, "large", [400, 200_000])
        next(items)
        reached = self.settled(host)
        self.assertLess(reached, 400 * 200_000)
        self.assertEqual(1 + sum(len(item.chunks) for item in items), 400)

    def settled(self, host):
        """Bytes that the worker's memory has grown to, once it grows no more."""
        before, size = -1, rss(host.process.pid)
        while size != before:
            time.sleep(0.2)
            before, size = size, rss(host.process.pid)
        return size


def rss(pid):
    with open("/proc/%d/statm" % pid) as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
