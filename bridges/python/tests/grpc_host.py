"""A small host for tests over gRPC: starts a real worker by its lifeline and is a stock client of it."""

import json
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time

import grpc

from snakepit_bridge.codec import create_codec
from snakepit_bridge.codec.binary import BinaryForm
from snakepit_bridge.grpc.generated import worker_pb2 as pb
from snakepit_bridge.grpc.generated.worker_pb2_grpc import WorkerStub

from .guard import guard
from .host import TIMEOUT_SECONDS, worker_environment

TOKEN = "test-token"
MAX_FRAME_BYTES = 1 << 20
OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.max_metadata_size", 16384))


def private_folder(test):
    """A folder for a socket, whose path is short enough for one."""
    folder = tempfile.TemporaryDirectory(prefix="snakepit-")
    test.addCleanup(folder.cleanup)
    return folder.name


class Launched:
    """A worker process and the host's end of its lifeline."""

    def __init__(self, test, module, **offer):
        host_end, worker_end = socket.socketpair()
        descriptor = worker_end.fileno()
        self.process = guard().spawn(
            [sys.executable, "-m", "snakepit_bridge.worker", "--module", module],
            pass_fds=[descriptor],
            env=worker_environment(SNAKEPIT_PROTOCOL="grpc", SNAKEPIT_FD=str(descriptor)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        worker_end.close()
        host_end.settimeout(TIMEOUT_SECONDS)
        self.lifeline = host_end
        test.addCleanup(self.close)
        if "listen" not in offer:
            offer["listen"] = ["unix:%s/worker.sock" % private_folder(test)]
        self.offer({"protocol": "grpc", "token": TOKEN, "maxFrameBytes": MAX_FRAME_BYTES, **offer})

    def offer(self, members):
        self.lifeline.sendall(json.dumps(members).encode() + b"\n")

    def answer(self):
        """The worker's line, as a dict."""
        with self.lifeline.makefile("rb") as file:
            return json.loads(file.readline())

    def wait(self):
        return self.process.wait(TIMEOUT_SECONDS)

    def output(self):
        """What the worker has printed, as `(stdout, stderr)`, after its end."""
        out, err = self.process.communicate(timeout=TIMEOUT_SECONDS)
        return out.decode(), err.decode()

    def close(self):
        guard().end(self.process)
        for stream in (self.lifeline, self.process.stdout, self.process.stderr):
            stream.close()


class Answer:
    """How an RPC ended: its value, or the Failure and the status of it."""

    def __init__(self, value=None, *, reply=None, status=None, failure=None, details=None):
        self.value, self.reply, self.status, self.failure, self.details = value, reply, status, failure, details


def failed(error):
    """The Answer of an RPC that has ended by an error."""
    data = dict(error.trailing_metadata() or ()).get("snakepit-failure-bin")
    failure = None if data is None else pb.Failure.FromString(data)
    return Answer(status=error.code(), failure=failure, details=error.details())


class Connection:
    """A client of one worker, which may attach."""

    def __init__(self, test, address, *, token=TOKEN, credentials=None, options=()):
        options = OPTIONS + tuple(options)
        if credentials is None:
            self.channel = grpc.insecure_channel(address, options)
        else:
            self.channel = grpc.secure_channel(address, credentials, options)
        test.addCleanup(self.channel.close)
        self.stub = WorkerStub(self.channel)
        self.metadata = () if token is None else (("authorization", "Bearer " + token),)
        self.codec = create_codec("json", 64)
        self.attachment = 0
        self.hello = None
        self._begun = []  # a call that nobody refers to is reset by the library

    def attach(self, codec="json", **hello):
        """Open the control stream and wait for the worker's hello."""
        self.codec = create_codec(codec, 64, BinaryForm(None, MAX_FRAME_BYTES))
        self._outgoing = queue.Queue()
        self._received = []
        self._arrived = threading.Condition()
        self.end_status = None
        members = {"protocol": [2], "codecs": [codec], "max_frame_bytes": MAX_FRAME_BYTES, "stream_credit": 4, "typed_arrays": True}
        self.send(hello=pb.HostHello(**{**members, **hello}))
        self.control = self.stub.Attach(iter(self._outgoing.get, None), metadata=self.metadata)
        threading.Thread(target=self._receive, daemon=True).start()
        self.hello = self.wait_for("hello")
        self.attachment = self.hello.attachment
        self.index = {command.name: at for at, command in enumerate(self.hello.commands)}
        return self

    def _receive(self):
        try:
            for batch in self.control:
                with self._arrived:
                    self._received.extend(batch.messages)
                    self._arrived.notify_all()
        except grpc.RpcError:
            pass
        with self._arrived:
            self.end_status = self.control.code()
            self._arrived.notify_all()

    def send(self, **message):
        self._outgoing.put(pb.HostBatch(messages=[pb.HostMessage(**message)]))

    def send_all(self, *messages):
        self._outgoing.put(pb.HostBatch(messages=[pb.HostMessage(**message) for message in messages]))

    def hang_up(self):
        """Close the host's side of the control stream."""
        self._outgoing.put(None)

    def wait_for(self, kind, accept=lambda message: True):
        """The next message of one kind; it is taken out, others stay."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        with self._arrived:
            while True:
                for at, message in enumerate(self._received):
                    if message.WhichOneof("message") == kind and accept(getattr(message, kind)):
                        del self._received[at]
                        return getattr(message, kind)
                if self.end_status is not None:
                    raise AssertionError("the control stream has ended with %s: %s" % (self.end_status, self.control.details()))
                if not self._arrived.wait(deadline - time.monotonic()):
                    raise AssertionError("no %s came; there is %s" % (kind, self._received))

    def left(self, kind):
        """The messages of one kind that have come and were not taken."""
        with self._arrived:
            return [getattr(message, kind) for message in self._received if message.WhichOneof("message") == kind]

    def wait_for_end(self):
        """The status that ended the control stream."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: self.end_status is not None, TIMEOUT_SECONDS):
                raise AssertionError("the control stream has not ended")
        return self.end_status

    def request(self, number, name, arguments=None, **meta):
        flags, body = self.codec.encode_apart(arguments)
        request = pb.CallRequest(attachment=self.attachment, id=number, body=body, tagged=bool(flags & 0x80))
        if self.hello is not None and name in self.index:
            request.command = self.index[name]
        else:
            request.command_name = name
        if meta:
            request.meta.CopyFrom(pb.CallMeta(**meta))
        return request

    def start(self, number, name, arguments=None, *, timeout=None, **meta):
        """Begin a call; returns its future."""
        request = self.request(number, name, arguments, **meta)
        future = self.stub.Execute.future(request, timeout=timeout or TIMEOUT_SECONDS, metadata=self.metadata)
        self._begun.append(future)
        return future

    def finish(self, future):
        """Wait for a call's Answer."""
        try:
            reply = future.result(TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            return failed(error)
        return Answer(self.codec.decode(reply.body, 0x80 if reply.tagged else 0), reply=reply)

    def call(self, number, name, arguments=None, **options):
        return self.finish(self.start(number, name, arguments, **options))

    def stream(self, number, name, arguments=None, *, timeout=None, **meta):
        """Begin a stream; returns the iterator of its items."""
        request = self.request(number, name, arguments, **meta)
        items = self.stub.ExecuteStream(request, timeout=timeout or TIMEOUT_SECONDS, metadata=self.metadata)
        self._begun.append(items)
        return items

    def chunks(self, item):
        return [self.value(chunk) for chunk in item.chunks]

    def value(self, body):
        return self.codec.decode(body.data, 0x80 if body.tagged else 0)

    def answer(self, host_call, value):
        flags, data = self.codec.encode_apart(value)
        self.send(host_reply=pb.HostReply(id=host_call.id, result=pb.Body(data=data, tagged=bool(flags & 0x80))))


class Host(Connection):
    """One launched worker, attached to."""

    def __init__(self, test, module, codec="json", *, hello=None, **offer):
        self.launched = Launched(test, module, **offer)
        self.process = self.launched.process
        answer = self.launched.answer()
        if "listening" not in answer:
            raise AssertionError("the worker did not start: %s" % answer)
        self.address = answer["listening"]
        super().__init__(test, self.address)
        self.attach(codec, **(hello or {}))

    def wait(self):
        return self.launched.wait()

    def output(self):
        return self.launched.output()


def standalone(test, *arguments):
    """A worker without a lifeline; returns the process and where it listens, or what it says with --port."""
    process = guard().spawn(
        [sys.executable, "-m", "snakepit_bridge.grpc", *arguments],
        env=worker_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

    def close():
        guard().end(process)
        process.stdout.close()
        process.stderr.close()

    test.addCleanup(close)
    line = process.stdout.readline().decode().strip()
    return process, json.loads(line)["listening"] if line.startswith("{") else line
