"""Binary and typed arrays: what they are on the wire, and what stands for them in Python."""

import sys

from ..errors import FRAME_TOO_LARGE, ProtocolError, Refusal

PLAIN_BYTES = 0

# The table of the protocol: code, name and the format of a memoryview. `@B` is the same as `B` in every respect but that it can
# be told from it, which is what a Uint8ClampedArray needs to come back as one.
_ELEMENT_TYPES = (
    (1, "i1", "b"),
    (2, "u1c", "@B"),
    (3, "i2", "h"),
    (4, "u2", "H"),
    (5, "i4", "i"),
    (6, "u4", "I"),
    (7, "i8", "q"),
    (8, "u8", "Q"),
    (9, "f4", "f"),
    (10, "f8", "d"),
    (11, "raw", "c"),
)
_FORMATS = {code: form for code, _, form in _ELEMENT_TYPES}
NAMES = {code: name for code, name, _ in _ELEMENT_TYPES}
CODES = {name: code for code, name, _ in _ELEMENT_TYPES}
_KINDS = {"b": "i", "h": "i", "i": "i", "l": "i", "q": "i", "n": "i"}
_KINDS.update({"B": "u", "H": "u", "I": "u", "L": "u", "Q": "u", "N": "u", "f": "f", "d": "f"})


class Typed:
    """A typed array that goes out within its frame."""

    __slots__ = ("code", "data")

    def __init__(self, code, data):
        self.code = code
        self.data = data


class Reference:
    """Binary, or a typed array, that goes out by way of the arena."""

    __slots__ = ("code", "offset", "length")

    def __init__(self, code, offset, length):
        self.code = code
        self.offset = offset
        self.length = length


class BinaryForm:
    """How binary travels on a connection of protocol v2; `arena` is None where all of it goes in frames."""

    def __init__(self, arena, max_bytes):
        self.arena = arena
        self.max_bytes = max_bytes
        self.inline_bytes = max_bytes + 1 if arena is None else arena.threshold_bytes

    def placement(self, in_arena):
        """A context manager for the binary of one value that goes out."""
        return Placement(self.arena if in_arena else None, self.max_bytes)

    def checked_copy(self, count):
        """The count of bytes copied out of the arena for one body, unless it is too large. Raises ProtocolError."""
        if count > self.max_bytes:
            raise ProtocolError("a frame refers to more than maxFrameBytes of %d" % self.max_bytes)
        return count

    def fetch(self, code, offset, length, loan):
        """What the host refers to: a copy, or, with a list `loan`, a view that is added to it. Raises ProtocolError."""
        if self.arena is None:
            raise ProtocolError("the host refers to an arena that was not agreed on")
        view = self.arena.view(offset, length)
        if loan is None:
            return typed_view(code, bytes(view))
        view = typed_view(code, view)
        loan.append((offset, view))
        return view


class Placement:
    """Decides how the binary within one value goes out; if that fails on the way, what it put into the arena is freed."""

    def __init__(self, arena, max_bytes):
        self._arena = arena
        self._max_bytes = max_bytes
        self._bytes = 0
        self._placed = []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None and self._placed:
            self._arena.release(self._placed)

    def convert(self, value):
        """Bytes, Typed or Reference for anything binary; None for other values. Raises Refusal before it copies too much."""
        view = _view_of(value)
        if view is None:
            return None
        self._count(view.nbytes)
        code = _code_of(view)
        offset = self._place(view)
        if offset is not None:
            return Reference(code, offset, view.nbytes)
        data = value if type(value) is bytes else view.tobytes()
        return data if code == PLAIN_BYTES else Typed(code, data)

    def checked(self, body):
        """The body, if it and what it refers to are not too much in all. Raises Refusal."""
        if self._placed:
            self._count(len(body))
        return body

    def _count(self, count):
        self._bytes += count
        if self._bytes > self._max_bytes:
            raise Refusal(
                FRAME_TOO_LARGE,
                "the binary of a result takes %d bytes or more, more than maxFrameBytes of %d; stream it in parts"
                % (self._bytes, self._max_bytes),
            )

    def _place(self, view):
        if self._arena is None or view.nbytes < self._arena.threshold_bytes:
            return None
        offset = self._arena.put(view.cast("B") if view.c_contiguous else memoryview(view.tobytes()))
        if offset is not None:
            self._placed.append(offset)
        return offset


def typed_view(code, data):
    """What stands for received elements: `data` itself for plain bytes, else a view of it. Raises ProtocolError."""
    if code == PLAIN_BYTES:
        return data
    if code not in _FORMATS:
        raise ProtocolError("unknown element type %r from the host" % (code,))
    try:
        return memoryview(data).cast(_FORMATS[code])
    except TypeError:
        raise ProtocolError("%d bytes are no whole number of elements of type %s" % (len(data), NAMES[code])) from None


def _view_of(value):
    """A memoryview of what is sent as binary; None for everything else."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return memoryview(value)
    array = getattr(sys.modules.get("array"), "array", None)
    ndarray = getattr(sys.modules.get("numpy"), "ndarray", None)
    is_array = array is not None and isinstance(value, array)
    if not is_array and not (ndarray is not None and type(value) is ndarray and value.ndim == 1):
        return None
    try:
        view = memoryview(value)
    except (TypeError, ValueError):
        return None  # such as an array of dates
    return view if view.format.lstrip("@") in _KINDS else None


def _code_of(view):
    """The element type of a view; PLAIN_BYTES where the wire has none for it."""
    form = view.format
    if form == "c":
        return CODES["raw"]
    if form == "@B":
        return CODES["u1c"]
    kind = _KINDS.get(form.lstrip("@"))
    return CODES.get("%s%d" % (kind, view.itemsize), PLAIN_BYTES) if view.ndim == 1 else PLAIN_BYTES
