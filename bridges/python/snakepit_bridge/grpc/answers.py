"""Ends calls, and sends the chunks of streams."""

from .outcome import Outcome, failure_of, refusal


class Answers:
    """What commands made, on its way to their RPCs; each ends its call, save `chunk`. Any thread may answer; times are in seconds."""

    @staticmethod
    def encode_result(call, value):
        """Encode the result of a call. Raises Refusal where that is impossible."""
        return call.values.encode(value)

    @staticmethod
    def encoded(call, encoded, seconds):
        """Answer by a result; `encoded` is `(flags, bytes)`."""
        call.finish(Outcome(seconds, encoded))

    @staticmethod
    def chunk(call, value):
        """Send one value of a stream. Raises Refusal if it cannot be sent."""
        call.add_part(call.values.encode(value, "chunk"))

    @staticmethod
    def end(call, seconds):
        """End a stream."""
        call.finish(Outcome(seconds))

    @staticmethod
    def error(call, error, seconds=0.0):
        """Answer by the failure that an exception is."""
        call.finish(Outcome(seconds, failure=failure_of(error, call.values, call.values.max_frame_bytes)))

    @staticmethod
    def refuse(call, code, message, started=None, seconds=0.0):
        """Answer by a failure with a code of the protocol's."""
        call.finish(Outcome(seconds, failure=refusal(code, message, started)))
