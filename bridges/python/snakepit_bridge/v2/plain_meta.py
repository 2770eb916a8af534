"""Lets the fast path run plain commands whose calls bring meta, of which such commands see nothing."""

from functools import partial


def with_meta(command, runtime, open_calls):
    """What the fast path calls with `[meta, arguments]`, in place of the command's function; calls that are sampled are traced."""
    function = command.function

    def call(meta, arguments):
        if meta.get("batch") is True:
            return command.invoke(arguments, None, True)
        trace = meta.get("trace")
        if trace is not None and trace.get("traceparent", "")[-1:] != "0":
            return _traced(command, runtime, open_calls.running_id, meta, arguments)
        kind = type(arguments)
        if kind is dict:
            return function(**arguments)
        if kind is list:
            return function(*arguments)
        if arguments is None:
            return function()
        return function(arguments)

    return call


def _traced(command, runtime, call_id, meta, arguments):
    from ..spans import trace_of

    trace = trace_of(command, meta, partial(runtime.send_spans, call_id))
    try:
        result = command.invoke(arguments)
    except BaseException as error:
        if trace is not None:
            trace.end(error)
        raise
    if trace is not None:
        trace.end()
    return result
