"""What does not fit."""


class Misfit(Exception):
    """A value that cannot become what is annotated; `path` says where it stands in the arguments."""

    def __init__(self, path, reason):
        super().__init__(reason)
        self.path = path


class Inexpressible(Exception):
    """An annotation that no schema can express; the message ends with what to write instead."""
