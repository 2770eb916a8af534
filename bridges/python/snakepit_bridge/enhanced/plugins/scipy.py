"""scipy: sparse matrices travel as arrays."""

from ..plugin import Plugin


class ScipyPlugin(Plugin):
    """Results of scipy are tuples with names, and sparse matrices."""

    package = "scipy"
    denied = frozenset("LowLevelCallable loadmat savemat load_npz save_npz readsav weave".split())

    def serialize(self, value, encoder):
        toarray = getattr(type(value), "toarray", None)
        if callable(toarray):
            return encoder.encode(value.toarray())
        if isinstance(value, dict):  # such as OptimizeResult
            return encoder.encode_map(value.items())
        return NotImplemented

    def size_of(self, value):
        parts = [getattr(value, name, None) for name in ("data", "indices", "indptr")]
        return (
            sum(part.nbytes for part in parts if hasattr(part, "nbytes"))
            if callable(getattr(type(value), "toarray", None))
            else None
        )


PLUGIN = ScipyPlugin()
