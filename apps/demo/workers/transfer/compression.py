"""Gzip, chunk by chunk."""

import zlib

_GZIP_FORMAT = 31


def compress(chunks, level):
    """The bytes as one gzip member."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, _GZIP_FORMAT)
    for chunk in chunks:
        packed = compressor.compress(chunk)
        if packed:
            yield packed
    yield compressor.flush()
