"""joblib: what it stores are pickles, and what it runs in parallel are processes."""

from ..plugin import Plugin


class JoblibPlugin(Plugin):
    """Nothing of joblib that reads or writes is for callers."""

    package = "joblib"
    denied = frozenset("Memory dump load Parallel delayed MemorizedResult".split())


PLUGIN = JoblibPlugin()
