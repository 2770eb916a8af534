"""Keeps large buffers from costing a page fault for each of their pages, again and again."""

# The largest block whose end glibc learns from: DEFAULT_MMAP_THRESHOLD_MAX of mallopt(3), less room for its header.
_LESSON_BYTES = 32 * 1024 * 1024 - 64 * 1024


def keep_freed_memory():
    """Have glibc keep up to 64 MB of freed memory at the end of its heap, for the next large buffer.

    By default it maps large blocks anew and returns them when freed, so that every buffer is made of pages that the system has yet
    to find and to clear, which takes longer than to copy it. It does so less when it sees that large blocks come and go
    (mallopt(3), "dynamic mmap threshold"): this one does, and takes no memory, since it is never touched. Other allocators and
    explicit settings (MALLOC_TRIM_THRESHOLD_) are not impressed by it.
    """
    bytes(_LESSON_BYTES)
