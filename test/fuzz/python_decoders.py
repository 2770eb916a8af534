"""Feeds mutated bytes to every decoder of the Python SDK.

    PYTHONPATH=<folder with msgpack> python3 test/fuzz/python_decoders.py --seed 1 --cycles 100000

Prints one list of figures as JSON, one item for each decoder, or for the one that --only names of those that --list prints. A decoder may return, or raise an error of the SDK's own that it is
documented to raise; anything else, an input that takes long, and memory that its input does not account for are findings.
"""

import argparse
import json
import os
import random
import resource
import struct
import sys
from io import BytesIO
from time import perf_counter

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPOSITORY, "bridges", "python"))

from snakepit_bridge.codec import create_codec  # noqa: E402
from snakepit_bridge.codec.binary import BinaryForm  # noqa: E402
from snakepit_bridge.codec.json_codec import TAGGED  # noqa: E402
from snakepit_bridge.errors import HostGone, ProtocolError, RefusedValue, StartupError  # noqa: E402
from snakepit_bridge.v1.channel import Channel, PlainJsonCodec  # noqa: E402
from snakepit_bridge.v1.server import select_protocol  # noqa: E402
from snakepit_bridge.v2.hello import read_hello  # noqa: E402
from snakepit_bridge.v2.reader import FrameReader  # noqa: E402
from snakepit_bridge.zygote.control import read_order  # noqa: E402

MAX_DEPTH = 64
MAX_FRAME_BYTES = 256 * 1024
MAX_BYTES = 64 * 1024
BATCH = 64
# Far more than any input takes, and far less than what looks like a hang.
MAX_SECONDS = 0.15
# What all inputs together may add to the address space: honest values of the longest input take less.
HEADROOM_BYTES = 256 * 1024 * 1024
MAX_FINDINGS = 20
BODY_ERRORS = (ProtocolError, RefusedValue)

TELLING_BYTES = bytes.fromhex("00017f808f90919fa0a1bfc0c1c4c5c6c7c8c9cacbcfd0d3d4d6d7d8d9dadbdcdddedfe0ff225b7b")
TELLING_LENGTHS = (0, 1, 2, 3, 11, 12, 13, 127, 128, 255, 256, 65535, 65536, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
WORDS = [
    word.encode()
    for word in (
        *'[ ] { } , : "" null true -0 1e999 -1 0.1 9007199254740993 NaN Infinity'.split(),
        *'{"$int":"18446744073709551615"} {"$float":"NaN"} {"$bin":[0,4]} {"$bin":[1,9007199254740991]} {"$bin":[true,1]}'.split(),
        *'{"$shm":[0,4096]} {"$shm":[-1,1]} {"$typed":["f8",{"$bin":[0,8]}]} {"$typed":["i4",{"$bin":[0,3]}]}'.split(),
        *'{"$time":"2026-02-30T00:00:00.000Z"} {"$time":"0000-01-01T00:00:00.000Z"} "\\ud800" "__class__": "__init__":'.split(),
        "1" * 30,
        "1" * 5000,
    )
]
NESTS = [text.encode() for text in ("[", '{"a":', '{"$esc":{"a":', '{"$typed":["i1",', '{"$int":[', "[{},", '{"$bin":[0,2]},')]
NESTS += [bytes.fromhex(text) for text in ("91", "81a161", "dd00000001", "ddffffffff", "80", "90", "c400", "c7010205")]


class Mutator:
    """Makes bytes that are almost right out of bytes that are."""

    def __init__(self, rng, seeds):
        self.rng = rng
        self.seeds = seeds

    def next(self):
        """The next input."""
        data = self.rng.choice(self.seeds)
        for _ in range(1 if self.rng.random() < 0.5 else self.rng.randint(2, 6)):
            data = self._mutate(data)
        return data[:MAX_BYTES]

    def _mutate(self, data):
        rng = self.rng
        at = rng.randint(0, len(data))
        kind = rng.randrange(10)
        if kind == 0:
            return data[:at] + bytes([rng.choice(TELLING_BYTES)]) + data[at + 1 :]
        if kind == 1:
            return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        if kind == 2:
            return data[:at]
        if kind == 3:
            return data[:at] + bytes([rng.choice(TELLING_BYTES)]) + data[at:]
        if kind == 4:
            return data[:at] + data[at + rng.randint(1, 8) :]
        if kind == 5:
            length = len(data) - at if rng.random() < 0.3 else rng.choice(TELLING_LENGTHS)
            return data[:at] + struct.pack(">I", length) + data[at + 4 :]
        if kind == 6:
            return data[:at] + rng.choice(WORDS) + data[at:]
        if kind == 7:
            return data[:at] + self._piece(rng.choice(self.seeds)) + data[at + rng.randint(0, 16) :]
        if kind == 8:
            return data[:at] + self._piece(data) + data[at:]
        times = rng.randint(100, 6000) if rng.random() < 0.02 else rng.randint(2, 70)
        return data[:at] + rng.choice(NESTS) * times + data[at:]

    def _piece(self, data):
        start = self.rng.randint(0, len(data))
        return data[start : start + self.rng.randint(1, 64)]


class Source:
    """Stands in for a socket that gives a few bytes at a time, and then ends."""

    def __init__(self, data, size):
        self.data = memoryview(data)
        self.size = size

    def recv_into(self, target, _count, _flags):
        count = min(len(self.data), self.size, len(target))
        target[:count] = self.data[:count]
        self.data = self.data[count:]
        return count


class Zeros:
    """Stands in for an arena of 4 KB."""

    threshold_bytes = 4096

    def view(self, offset, length):
        if offset + length > 4096:
            raise ProtocolError("not the host's")
        return memoryview(bytes(4096))[offset : offset + length]


def read_frames(data, choice):
    # Byte by byte, a long input would take its time whoever reads it.
    size = len(data) if choice % 4 == 0 else max(1 + choice % 37, len(data) // 256)
    reader = FrameReader(Source(data, size), MAX_FRAME_BYTES)
    frames = []
    while True:
        try:
            reader.receive(is_blocking=True)
        except HostGone:
            return frames
        reader.parse(frames.append, lambda *frame: frames.append(frame), 0.0)


def greet(data, _):
    frame = struct.pack(">IBBHI", len(data), 1, 0, 0, 0) + data
    hello = read_hello(FrameReader(Source(frame, 4096), MAX_FRAME_BYTES))
    return hello.choose_codec()


def read_v1(data, choice):
    channel = Channel(BytesIO(data), BytesIO(), "msgpack" if choice % 2 else "json")
    messages = []
    while True:
        message = channel.read()
        if message is None:
            return messages
        messages.append(message)
        select_protocol(message)


def targets():
    """Name, seeds, function and documented errors of each decoder."""
    form = BinaryForm(Zeros(), MAX_FRAME_BYTES)
    json_codec, packed = create_codec("json", MAX_DEPTH, form), create_codec("msgpack", MAX_DEPTH, form)
    plain = PlainJsonCodec(MAX_DEPTH)
    return [
        ("frames", ["frames"], read_frames, (ProtocolError,)),
        ("MessagePack", ["msgpack"], lambda data, choice: packed.decode(data, loan=[] if choice % 2 else None), BODY_ERRORS),
        ("JSON", ["json", "hello"], lambda data, _: json_codec.decode(data), BODY_ERRORS),
        ("tagged JSON", ["tagged"], lambda data, choice: json_codec.decode(data, TAGGED, loan=[] if choice % 2 else None), BODY_ERRORS),
        ("hello", ["hello"], greet, (ProtocolError, StartupError)),
        ("v1", ["messages"], read_v1, (ProtocolError,)),
        ("v1 body", ["v1"], lambda data, _: plain.decode(data), BODY_ERRORS),
        ("zygote", ["zygote"], lambda data, _: read_order(0x50, 0, 0, 1, data, 0.0), (ProtocolError,)),
    ]


def load_seeds():
    """Seeds by kind, and the kept corpus as `(kinds, data)`."""

    def load(*path):
        with open(os.path.join(REPOSITORY, *path), encoding="utf-8") as file:
            return json.load(file)

    values, frames = load("proto", "vectors", "values.json"), load("proto", "vectors", "frames.json")["cases"]
    messages = [bytes.fromhex(case["hex"]) for case in load("proto", "vectors", "v1.json")["cases"]]
    cases, refused = values["cases"], values["refused"]

    def bodies(*kinds):
        return [bytes.fromhex(case["bodyHex"]) for case in frames if case["frame"]["kind"] in kinds and case["bodyHex"]]

    def texts(is_tagged):
        good = [bytes.fromhex(case["json"]["hex"]) for case in cases if "json" in case and case["json"]["tagged"] == is_tagged]
        return good + [bytes.fromhex(case["hex"]) for case in refused if case["codec"] == "json" and case["tagged"] == is_tagged]

    packed = [bytes.fromhex(case["msgpack"]["hex"]) for case in cases if "msgpack" in case]
    packed += [bytes.fromhex(case["hex"]) for case in refused if case["codec"] == "msgpack"]
    seeds = {
        "frames": [bytes.fromhex(case["hex"]) for case in frames],
        "messages": messages,
        "v1": [message[4:] for message in messages],
        "json": texts(False),
        "tagged": texts(True),
        "msgpack": packed,
        "hello": bodies(1),
        "zygote": bodies(0x50),
    }
    kept = []
    folder = os.path.join(REPOSITORY, "test", "fuzz", "corpus")
    for name in sorted(os.listdir(folder)):
        for case in load("test", "fuzz", "corpus", name):
            kept.append((case["for"], b"".join(bytes.fromhex(unit) * times for unit, times in case["parts"])))
    return seeds, kept


class Run:
    """One decoder and its findings."""

    def __init__(self, name, decode, errors):
        self.name = name
        self.decode = decode
        self.errors = errors
        self.findings = []
        self.accepted = 0

    def feed(self, inputs):
        """Feed a batch of `(data, choice)`."""
        begin = perf_counter()
        for item in inputs:
            self._feed_one(*item)
        if perf_counter() - begin > MAX_SECONDS:
            for item in inputs:
                self._time(*item)

    def _feed_one(self, data, choice):
        try:
            self.decode(data, choice)
            self.accepted += 1
        except self.errors:
            pass
        except BaseException as error:
            self.report(data, "raised %s: %.200s" % (type(error).__name__, error))

    def _time(self, data, choice):
        """The machine may have been what was slow: the best of three counts."""
        best = float("inf")
        for _ in range(3):
            begin = perf_counter()
            self._feed_one(data, choice)
            best = min(best, perf_counter() - begin)
        if best > MAX_SECONDS:
            self.report(data, "took %d ms" % (best * 1000))

    def report(self, data, problem):
        """Note a finding."""
        self.findings.append({"target": "Python: " + self.name, "problem": problem, "hex": data[:4096].hex()})


def limit_memory():
    """Make an allocation that the inputs do not account for fail; returns what the limit was."""
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + HEADROOM_BYTES, before[1]))
    return before


def fuzz(seed, cycles, only=None):
    """Feed every decoder `cycles` inputs; returns a list of figures."""
    seeds, kept = load_seeds()
    figures = []
    before = limit_memory() if sys.platform == "linux" else None
    try:
        for name, kinds, decode, errors in targets():
            if only is not None and name != only:
                continue
            rng = random.Random(seed)
            run = Run(name, decode, errors)
            for case_kinds, data in kept:
                if set(case_kinds) & set(kinds):
                    for choice in range(4):
                        run.feed([(data, choice)])
            run.accepted = 0
            mutator = Mutator(rng, [data for kind in kinds for data in seeds[kind]])
            for done in range(0, cycles, BATCH):
                if len(run.findings) >= MAX_FINDINGS:
                    break
                run.feed([(mutator.next(), rng.randrange(65536)) for _ in range(min(BATCH, cycles - done))])
            share = run.accepted / max(1, cycles)
            figures.append({"name": "Python: " + name, "frames": cycles, "acceptedShare": share, "findings": run.findings})
    finally:
        if before is not None:
            resource.setrlimit(resource.RLIMIT_AS, before)
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cycles", type=int, default=10_000)
    parser.add_argument("--only")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        json.dump([name for name, *_ in targets()], sys.stdout)
        return
    json.dump(fuzz(options.seed, options.cycles, options.only), sys.stdout)


if __name__ == "__main__":
    main()
