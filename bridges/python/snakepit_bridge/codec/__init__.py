"""The two codecs of values: MessagePack where the `msgpack` package is installed, else JSON."""

from ..errors import StartupError

NAMES = ("msgpack", "json")


def has_msgpack():
    """Tell whether the `msgpack` package can be imported."""
    try:
        import msgpack  # noqa: F401
    except ImportError:
        return False
    return True


def create_codec(name, max_depth, binary=None):
    """Create the codec called `name`; `max_depth` bounds the nesting of values both ways.

    `binary`, a BinaryForm, is for protocol v2; without it typed arrays go out as their bytes or as lists.
    """
    if name == "msgpack":
        from .msgpack_codec import MsgpackCodec

        return MsgpackCodec(max_depth, binary)
    from .json_codec import JsonCodec

    return JsonCodec(max_depth, binary)


def select_codec(offered):
    """The first name in `offered`, the host's order of preference, that this worker has."""
    for name in offered:
        if name == "json" or (name == "msgpack" and has_msgpack()):
            return name
    raise StartupError(
        "no codec in common: the host offers %s, this worker has json%s"
        % (", ".join(map(str, offered)) or "none", "" if has_msgpack() else " (msgpack after `pip install msgpack`)")
    )
