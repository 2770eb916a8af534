"""Commands that read what is being uploaded; see transfer/."""

from snakepit_bridge import Context, command

from transfer.compression import compress
from transfer.matching import matching
from transfer.summary import summarize


@command
def filter_upload(text: str, ctx: Context):
    """Streams the lines of the upload that hold a text."""
    if not isinstance(text, str) or not text or "\n" in text:
        raise ValueError("text must be a part of a line, got %r" % (text,))
    yield from matching(ctx.input.chunks(), text.encode("utf-8"))


@command
def gzip_upload(ctx: Context, level: int = 6):
    """Streams the upload, compressed."""
    if isinstance(level, bool) or not isinstance(level, int) or not 1 <= level <= 9:
        raise ValueError("level must be an integer from 1 to 9, got %r" % (level,))
    yield from compress(ctx.input.chunks(), level)


@command
def summarize_upload(ctx: Context):
    """Size, lines and SHA-256 of the upload."""
    return summarize(ctx.input.chunks())
