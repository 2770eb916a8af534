"""Lets the fast path run plain commands whose calls bring meta, of which such commands see nothing."""


class Sampled(BaseException):
    """Raised in place of a result: the call is to be recorded, which is the call runner's business, and no part of the command's time."""


_SAMPLED = Sampled()


def with_meta(command):
    """What the fast path calls with `[meta, arguments]`, in place of the command's function. Raises Sampled before anything has run."""
    function = command.function

    def call(meta, arguments):
        if meta.get("batch") is True:
            return command.invoke(arguments, None, True)
        trace = meta.get("trace")
        if trace is not None and trace.get("traceparent", "")[-1:] != "0":
            raise _SAMPLED.with_traceback(None)
        kind = type(arguments)
        if kind is dict:
            return function(**arguments)
        if kind is list:
            return function(*arguments)
        if arguments is None:
            return function()
        return function(arguments)

    return call
