"""Spans that commands record, over protocol v2 and over gRPC."""

import unittest

from snakepit_bridge.spans import NO_SPAN, trace_of
from snakepit_bridge.v2 import frame as f

from . import require_msgpack
from .grpc_host import Host as GrpcHost
from .host import Host, write_module

TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = {"traceparent": "00-%s-%s-01" % (TRACE_ID, PARENT_ID)}
UNSAMPLED = {"traceparent": "00-%s-%s-00" % (TRACE_ID, PARENT_ID)}

MODULE = '''
    import asyncio, threading
    from snakepit_bridge import command

    @command
    def plain(a):
        return a

    @command
    def load(ctx):
        with ctx.span("outer", rows=3, missing=None, odd=object, big=2**70) as outer:
            with ctx.span("inner") as inner:
                inner.set(name="x", list=[1, 2.5], mixed=[1, "a"]).event("hit", key="k")
            outer.event("late")
        return [ctx.trace.get("traceparent"), ctx.traceparent]

    @command
    def fail(ctx):
        with ctx.span("part"):
            raise ValueError("no \\ud800")

    @command
    def many(ctx, count):
        for at in range(count):
            with ctx.span("part %d" % at):
                pass

    @command
    def large(ctx):
        for _ in range(100):
            with ctx.span("part", text="x" * 10_000):
                pass

    @command
    def threads(ctx):
        def work(name):
            with ctx.span(name):
                with ctx.span(name + " inner"):
                    pass
        with ctx.span("main"):
            workers = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()

    @command
    async def gather(ctx):
        async def work(name):
            async with ctx.span(name):
                await asyncio.sleep(0)
                with ctx.span(name + " inner"):
                    await asyncio.sleep(0)
        async with ctx.span("main"):
            await asyncio.gather(work("a"), work("b"))

    @command
    def walk(ctx, count):
        for at in range(count):
            with ctx.span("item %d" % at):
                yield at

    @command
    async def walk_async(ctx, count):
        for at in range(count):
            with ctx.span("item %d" % at):
                yield at

    @command
    def ask(ctx):
        with ctx.span("asking"):
            return ctx.globals.get("k")

    @command
    async def ask_async(ctx):
        async with ctx.span("asking"):
            return await ctx.globals.aget("k")

    @command
    def reserved(ctx):
        ctx.emit("snakepit.mine")

    @command
    async def forever(ctx):
        await asyncio.sleep(3600)

    @command
    async def lingers(ctx):
        ctx.progress("begun")
        await asyncio.sleep(3600)
'''


class SpanCases:
    """What both transports must do; `call` returns how a call ended and the spans that came before that."""

    def by_name(self, number, name, arguments=None, **options):
        outcome, batches = self.call(number, name, arguments, **options)
        spans = [span for batch in batches for span in batch["spans"]]
        return outcome, {span["name"]: span for span in spans}, batches

    def test_a_sampled_call_has_a_span_of_its_own_below_the_callers(self):
        result, spans, _ = self.by_name(1, "plain", {"a": 5}, trace=SAMPLED)
        self.assertEqual(result, 5)
        self.assertEqual(list(spans), ["snakepit plain"])
        span = spans["snakepit plain"]
        self.assertEqual((span["traceId"], span["parentId"], span["kind"]), (TRACE_ID, PARENT_ID, "server"))
        self.assertRegex(span["spanId"], "^[0-9a-f]{16}$")
        self.assertLessEqual(span["start"], span["end"])
        self.assertNotIn("error", span)

    def test_unsampled_calls_record_nothing_and_know_the_callers_span(self):
        result, _, batches = self.by_name(1, "load", trace=UNSAMPLED)
        self.assertEqual(result, [UNSAMPLED["traceparent"]] * 2)
        self.assertEqual(batches, [])
        result, _, batches = self.by_name(2, "load")
        self.assertEqual(([None, None], []), (result, batches))

    def test_spans_nest_and_carry_attributes_and_events(self):
        result, spans, batches = self.by_name(1, "load", trace=SAMPLED)
        root, outer, inner = spans["snakepit load"], spans["outer"], spans["inner"]
        self.assertEqual((outer["parentId"], inner["parentId"]), (root["spanId"], outer["spanId"]))
        self.assertEqual(result, [SAMPLED["traceparent"], "00-%s-%s-01" % (TRACE_ID, root["spanId"])])
        self.assertEqual(outer["attributes"], {"rows": 3, "odd": "<class 'object'>", "big": str(2**70)})
        self.assertEqual(inner["attributes"], {"name": "x", "list": [1, 2.5], "mixed": ["1", "a"]})
        self.assertEqual([event["name"] for event in outer["events"]], ["late"])
        self.assertEqual(inner["events"][0]["attributes"], {"key": "k"})
        self.assertTrue(inner["start"] <= inner["events"][0]["time"] <= inner["end"] <= outer["end"])
        self.assertEqual(len(batches), 1)

    def test_what_is_raised_is_recorded_in_every_span_that_it_leaves(self):
        error, spans, _ = self.by_name(1, "fail", trace=SAMPLED)
        self.assertEqual(error["type"], "ValueError")
        for name in ("part", "snakepit fail"):
            self.assertEqual(spans[name]["error"], "ValueError: no \\ud800")
            facts = spans[name]["events"][-1]
            self.assertEqual(facts["name"], "exception")
            self.assertEqual(facts["attributes"]["exception.type"], "ValueError")

    def test_a_call_sends_a_bounded_number_of_spans_and_tells_what_it_left_out(self):
        _, spans, batches = self.by_name(1, "many", {"count": 300}, trace=SAMPLED)
        self.assertEqual(len(spans), 257)
        self.assertEqual(batches[-1]["dropped"], 44)
        self.assertTrue(all(len(batch["spans"]) <= 32 for batch in batches))

    def test_a_call_sends_a_bounded_size_of_spans(self):
        _, spans, batches = self.by_name(1, "large", trace=SAMPLED)
        self.assertIn("snakepit large", spans)
        self.assertLess(len(repr(batches)), 300_000)
        self.assertGreater(batches[-1]["dropped"], 30)

    def test_threads_have_spans_of_their_own_below_the_command(self):
        _, spans, _ = self.by_name(1, "threads", trace=SAMPLED)
        for name in ("a", "b"):
            self.assertEqual(spans[name]["parentId"], spans["snakepit threads"]["spanId"])
            self.assertEqual(spans[name + " inner"]["parentId"], spans[name]["spanId"])

    def test_tasks_that_run_side_by_side_do_not_mix_their_spans(self):
        _, spans, _ = self.by_name(1, "gather", trace=SAMPLED)
        for name in ("a", "b"):
            self.assertEqual(spans[name]["parentId"], spans["main"]["spanId"])
            self.assertEqual(spans[name + " inner"]["parentId"], spans[name]["spanId"])

    def test_a_stream_is_one_span_with_those_of_its_body_below(self):
        for number, name in enumerate(("walk", "walk_async"), 1):
            with self.subTest(name):
                chunks, spans, _ = self.by_name(number, name, {"count": 3}, trace=SAMPLED, stream=True)
                self.assertEqual(chunks, [0, 1, 2])
                root = spans["snakepit " + name]
                self.assertEqual([spans["item %d" % at]["parentId"] for at in range(3)], [root["spanId"]] * 3)
                self.assertNotIn("error", root)

    def test_names_of_the_protocol_cannot_be_emitted(self):
        error, _, _ = self.by_name(1, "reserved", trace=SAMPLED)
        self.assertIn("are the library's own; choose another name", error["message"])


class SpansOverV2(SpanCases, unittest.TestCase):
    def setUp(self):
        self.host = Host(self, write_module(self, MODULE), typedArrays=True)

    def call(self, number, name, arguments=None, *, trace=None, stream=False):
        self.host.call(number, name, arguments, stream=stream, meta=trace and {"trace": trace})
        batches, chunks = [], []
        while True:
            frame = self.host.receive()
            if frame.kind == f.EVENT:
                self.assertEqual(frame.body["name"], "snakepit.spans")
                batches.append(frame.body["data"])
            elif frame.kind == f.CHUNK:
                chunks.append(frame.body)
            elif frame.id == number:
                return (chunks if frame.kind == f.END else frame.body), batches

    def test_what_is_asked_of_the_host_names_the_span_that_asks(self):
        for number, name in enumerate(("ask", "ask_async"), 1):
            with self.subTest(name):
                trace = {**SAMPLED, "tracestate": "a=b"}
                self.host.call(number, name, meta={"trace": trace})
                question = self.host.receive_kind(f.HOST_CALL)
                self.host.answer(question, {"found": True, "value": 7, "revision": 1})
                batch = self.host.receive_kind(f.EVENT).body["data"]
                asking = next(span for span in batch["spans"] if span["name"] == "asking")
                traceparent = "00-%s-%s-01" % (TRACE_ID, asking["spanId"])
                self.assertEqual(question.body["trace"], {"traceparent": traceparent, "tracestate": "a=b"})
                self.assertEqual(self.host.receive_kind(f.RESULT, number).body, 7)

    def test_an_unsampled_call_asks_without_a_span(self):
        self.host.call(1, "ask", meta={"trace": UNSAMPLED})
        question = self.host.receive_kind(f.HOST_CALL)
        self.assertNotIn("trace", question.body)

    def test_a_cancelled_call_is_no_failure(self):
        self.host.call(1, "lingers", meta={"trace": SAMPLED})
        self.host.receive_kind(f.PROGRESS, 1)
        self.host.cancel(1)
        (span,) = self.host.receive_kind(f.EVENT).body["data"]["spans"]
        self.assertEqual(([event["name"] for event in span["events"]], "error" in span), (["cancelled"], False))

    def test_streams_that_take_turns_do_not_mix_their_spans(self):
        with self.host.one_write():
            for number in (1, 2):
                self.host.call(number, "walk", {"count": 3}, stream=True, meta={"trace": SAMPLED})
        roots, items, ends = {}, {}, 0
        while ends < 2:
            frame = self.host.receive()
            ends += frame.kind == f.END
            if frame.kind != f.EVENT:
                continue
            for span in frame.body["data"]["spans"]:
                (roots if "kind" in span else items).setdefault(frame.id, []).append(span)
        for number in (1, 2):
            parents = {span["parentId"] for span in items[number]}
            self.assertEqual(parents, {roots[number][0]["spanId"]})


class SpansOverV2InMessagePack(SpansOverV2):
    def setUp(self):
        require_msgpack()
        self.host = Host(self, write_module(self, MODULE), codec="msgpack", typedArrays=True)


class SpansOverGrpc(SpanCases, unittest.TestCase):
    def setUp(self):
        self.host = GrpcHost(self, write_module(self, MODULE))

    def call(self, number, name, arguments=None, *, trace=None, stream=False):
        meta = trace or {}
        if stream:
            chunks, notices = [], 0
            for item in self.host.stream(number, name, arguments, **meta):
                chunks += self.host.chunks(item)
                notices = item.end.notices if item.HasField("end") else notices
            return chunks, self.batches(notices)
        answer = self.host.call(number, name, arguments, **meta)
        if answer.failure is None:
            return answer.value, self.batches(answer.reply.notices)
        return {"type": answer.failure.type, "message": answer.failure.message}, self.batches(answer.failure.notices)

    def batches(self, count):
        events = [self.host.wait_for("event") for _ in range(count)]
        self.assertEqual({event.name for event in events} - {"snakepit.spans"}, set())
        return [self.host.value(event.data) for event in events]

    def test_what_is_asked_of_the_host_names_the_span_that_asks(self):
        for number, name in enumerate(("ask", "ask_async"), 1):
            with self.subTest(name):
                future = self.host.start(number, name, **SAMPLED, tracestate="a=b")
                question = self.host.wait_for("host_call")
                self.host.answer(question, {"found": True, "value": 7, "revision": 1})
                self.assertEqual(self.host.finish(future).value, 7)
                (batch,) = self.batches(1)
                asking = next(span for span in batch["spans"] if span["name"] == "asking")
                self.assertEqual(question.traceparent, "00-%s-%s-01" % (TRACE_ID, asking["spanId"]))
                self.assertEqual(question.tracestate, "a=b")


class NoSpan(unittest.TestCase):
    def test_stands_in_where_nobody_records(self):
        with NO_SPAN as span:
            self.assertIs(span.set(a=1).event("b", c=2), NO_SPAN)
        with self.assertRaises(ValueError), NO_SPAN:
            raise ValueError

    def test_replaces_spans_that_begin_when_the_call_is_over(self):
        class Command:
            name, is_async = "late", False

        batches = []
        trace = trace_of(Command, {"trace": SAMPLED}, batches.append)
        with trace.span("open", {}):
            trace.end()
        self.assertIs(trace.span("late", {}), NO_SPAN)
        self.assertEqual([span["name"] for span in batches[0]["spans"]], ["snakepit late"])
        self.assertEqual(len(batches), 1)


if __name__ == "__main__":
    unittest.main()
