"""Hands out slices of a range of bytes."""

_ALIGNMENT = 4096


class SliceAllocator:
    """First fit, with neighbours joined when slices come back; a slice is named by where it starts.

        0                                        capacity
        [ slice | slice |  gap  | slice |   gap         ]     gaps: sorted, never adjacent

    Low offsets are preferred, so that the pages that were touched once are touched again.
    """

    def __init__(self, capacity):
        self._gaps = [(0, capacity)]
        self._slices = {}

    def __len__(self):
        return len(self._slices)

    def allocate(self, count):
        """Where a new slice of `count` bytes starts; None when no gap is large enough."""
        length = max(1, -(-count // _ALIGNMENT)) * _ALIGNMENT
        for index, (start, end) in enumerate(self._gaps):
            if end - start >= length:
                self._gaps[index : index + 1] = [(start + length, end)] if end - start > length else []
                self._slices[start] = start + length
                return start
        return None

    def free(self, start):
        """Take a slice back; False when none starts there."""
        end = self._slices.pop(start, None)
        if end is None:
            return False
        gaps = self._gaps
        index = next((index for index, gap in enumerate(gaps) if gap[0] >= end), len(gaps))
        first, last = index, index
        if index > 0 and gaps[index - 1][1] == start:
            first, start = index - 1, gaps[index - 1][0]
        if index < len(gaps) and gaps[index][0] == end:
            last, end = index + 1, gaps[index][1]
        gaps[first:last] = [(start, end)]
        return True
