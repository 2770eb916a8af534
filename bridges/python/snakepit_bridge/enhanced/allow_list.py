"""Which modules may be used: names as they are, and `prefix.*` for a package with all that is in it."""

from ..errors import StartupError
from .forbidden import is_forbidden_module


class AllowList:
    """An allow-list; an entry may also name one object of a module, as `json.loads` does."""

    def __init__(self, entries):
        self.entries = tuple(dict.fromkeys(entries))
        if not self.entries:
            raise StartupError("the allow-list is empty; name the modules that may be called, such as 'math' or 'sklearn.*'")
        for entry in self.entries:
            _check(entry)
        self._exact = frozenset(entry for entry in self.entries if not entry.endswith(".*"))
        self._prefixes = tuple(entry[:-2] for entry in self.entries if entry.endswith(".*"))
        self.roots = frozenset(entry.split(".")[0] for entry in self.entries)

    def permits_path(self, path):
        """Tell whether an entry names this path, or a package that it is in."""
        if path in self._exact:
            return True
        return any(path == prefix or path.startswith(prefix + ".") for prefix in self._prefixes)

    def permits_module(self, name):
        """Tell whether the module of that name may be walked through."""
        return self.permits_path(name) and not is_forbidden_module(name)

    def owns(self, module):
        """Tell whether a thing defined in that module belongs to a package of which an entry allows something.

        Packages define elsewhere what they offer: `pandas.DataFrame` is of `pandas.core.frame`, `heapq.heappush` of `_heapq`.
        """
        if not isinstance(module, str) or is_forbidden_module(module):
            return False
        root = module.split(".")[0]
        return root in self.roots or (root[:1] == "_" and root[1:] in self.roots)

    def __str__(self):
        return ", ".join(self.entries)


def _check(entry):
    name = entry[:-2] if isinstance(entry, str) and entry.endswith(".*") else entry
    if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
        raise StartupError(
            "%r cannot stand on the allow-list; write a module such as 'math', or 'sklearn.*' for a package with all in it"
            % (entry,)
        )
    if is_forbidden_module(name):
        raise StartupError(
            "%r cannot stand on the allow-list: through that module anything could be run; write a command of your own for what is needed of it"
            % entry
        )
