"""What a host says on its control stream."""

from .command_thread import SessionEnd
from .generated.worker_pb2 import Pong, WorkerMessage


def take_batch(service, attachment, messages, command_thread):
    """Carry out the messages of a batch; those that are not known are ignored. On the gRPC thread."""
    for message in messages:
        kind = message.WhichOneof("message")
        if kind == "credit":
            service.take_credit(attachment, message.credit.call, message.credit.chunks)
        elif kind == "cancel":
            service.take_cancel(attachment, message.cancel.call)
        elif kind == "ping":
            attachment.send(WorkerMessage(pong=Pong(id=message.ping.id)))
        elif kind == "host_reply":
            attachment.host_calls.settle(message.host_reply)
        elif kind == "session_closed":
            command_thread.add(SessionEnd(attachment.hooks, message.session_closed.session))
        elif kind == "shutdown":
            service.take_shutdown()
