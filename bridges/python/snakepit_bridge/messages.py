"""Messages to the host's controllers, as a command sends them."""

from .errors import INVALID_ARGUMENTS, HostError, MessageError, Refusal


def send(runtime, call_id, pattern, data):
    """The answer to a message, or something to await for it in an asynchronous command."""
    question = {"pattern": pattern, "data": data}
    if runtime.in_event_loop():
        question["concurrent"] = True  # other commands run in this worker meanwhile
        return _answer_later(runtime, call_id, question)
    try:
        return runtime.ask_host(call_id, "message.send", question)
    except (HostError, Refusal) as error:
        raise _message_error(pattern, error) from None


def name_of(pattern):
    """The name of the event for a pattern that is a map: the host reads it from JSON."""
    import json

    return json.dumps(pattern)


async def _answer_later(runtime, call_id, question):
    try:
        return await runtime.ask_host_async(call_id, "message.send", question)
    except (HostError, Refusal) as error:
        raise _message_error(question["pattern"], error) from None


def _message_error(pattern, error):
    # A refusal says that the data cannot be sent.
    return MessageError(pattern, error if isinstance(error, HostError) else HostError(INVALID_ARGUMENTS, str(error)))
