"""A body in two parts."""


class SplitBody:
    """The body of a frame that is one large piece of binary: what comes before the bytes, and the bytes as they are.

    Whoever sends both in one system call need not join them first.
    """

    __slots__ = ("head", "tail")

    def __init__(self, head, tail):
        self.head = head
        self.tail = tail

    def __len__(self):
        return len(self.head) + len(self.tail)

    def __bytes__(self):
        return self.head + self.tail
