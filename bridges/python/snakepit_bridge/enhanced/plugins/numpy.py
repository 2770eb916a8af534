"""numpy: arrays travel as binary."""

import sys

from .. import wire_tags as tags
from ..failures import BAD_ARGUMENT, refusal, unsendable
from ..plugin import Plugin

# The element types that travel as they are; those of no wire type of their own go as bytes.
_TYPES = frozenset(
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128 datetime64[ns] timedelta64[ns]".split()
)
_AS_BYTES = frozenset("bool float16 complex64 complex128".split())
_MAX_DIMENSIONS = 32


class NumpyPlugin(Plugin):
    """Arrays, scalars and random generators of numpy."""

    package = "numpy"
    denied = frozenset(
        """DataSource as_strided apply_along_axis apply_over_axes chararray dump dumps from_dlpack fromfile frompyfunc fromregex genfromtxt get_include info load
        load_library loadtxt measure memmap ndarray nditer nested_iters open_memmap rec recarray records rundocs runstring save savetxt savez savez_compressed setbufsize seterrcall show_config
        show_runtime tofile vectorize ctypes setflags""".split()
    )

    def serialize(self, value, encoder):
        import numpy

        if isinstance(value, numpy.ndarray):
            return array_to_wire(value, encoder)
        if isinstance(value, (numpy.datetime64, numpy.timedelta64)):
            return str(value)
        return encoder.encode(value.item()) if isinstance(value, numpy.generic) else NotImplemented

    def size_of(self, value):
        return getattr(value, "nbytes", None) if isinstance(value, sys.modules["numpy"].ndarray) else None

    def configure(self, settings):
        import numpy

        known = {"seed", "errors"}
        if set(settings) - known:
            raise refusal(BAD_ARGUMENT, "numpy is configured by 'seed' (a number) and 'errors' ('warn', 'raise' or 'ignore')")
        if "seed" in settings:
            numpy.random.seed(settings["seed"])
        if "errors" in settings:
            numpy.seterr(all=settings["errors"])
        return sorted(settings)


def array_to_wire(array, encoder):
    """An array as its type, shape and elements; one of objects, whose elements are no numbers, as lists."""
    import numpy

    plain = numpy.asarray(array)
    if plain.dtype.kind == "M" or plain.dtype.kind == "m":
        plain = plain.astype("datetime64[ns]" if plain.dtype.kind == "M" else "timedelta64[ns]")
    name = plain.dtype.name
    if name not in _TYPES:
        if plain.dtype.kind in "OUS":
            return encoder.encode(plain.tolist())
        raise unsendable(
            "an array of %s cannot be sent; convert it by astype('float64') or another type of %s"
            % (plain.dtype, ", ".join(sorted(_TYPES)))
        )
    return {tags.ARRAY: {"dtype": name, "shape": list(plain.shape), "data": elements_of(plain)}}


def elements_of(array):
    """The elements of an array in C order, as what the wire has for their type."""
    import numpy

    flat = numpy.ascontiguousarray(array).reshape(-1)
    flat = flat.astype(flat.dtype.newbyteorder("="), copy=False)
    if flat.dtype.kind in "Mm":
        return flat.view("int64")
    return flat.view("uint8").tobytes() if flat.dtype.name in _AS_BYTES else flat


def array_from_wire(content):
    """The array that a host sent."""
    name, shape, data = content["dtype"], content["shape"], content["data"]
    if name not in _TYPES:
        raise refusal(BAD_ARGUMENT, "an array's dtype is one of %s, not %.40r" % (", ".join(sorted(_TYPES)), name))
    if not isinstance(shape, list) or len(shape) > _MAX_DIMENSIONS or not all(type(size) is int and size >= 0 for size in shape):
        raise refusal(BAD_ARGUMENT, "an array's shape is a list of sizes, not %.80r" % (shape,))
    numpy = _numpy(is_needed=len(shape) != 1 or isinstance(data, bytes))
    if numpy is None:
        return data
    elements = numpy.frombuffer(data, dtype="uint8") if isinstance(data, (bytes, memoryview)) else numpy.asarray(data)
    return numpy.array(elements.view(name).reshape(shape))


def _numpy(is_needed):
    """The module; None where it is not installed and a plain view does as well."""
    try:
        import numpy
    except ImportError:
        if not is_needed:
            return None
        raise refusal(BAD_ARGUMENT, "arrays need numpy, which this worker's Python has not; install it, or send a list") from None
    return numpy


PLUGIN = NumpyPlugin()
