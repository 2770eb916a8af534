"""Bytes in, bytes out: files are packed, and put together from parts that a session keeps."""

import gzip
import zlib

from snakepit_bridge import Context


def pack(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


def put_part(index: int, data: bytes, ctx: Context) -> int:
    ctx.session.set(f"part-{index}", data)
    return len(data)


def join(ctx: Context) -> dict:
    names = sorted((name for name in ctx.session.keys() if name.startswith("part-")), key=lambda name: int(name[5:]))
    whole = b"".join(ctx.session.get(name) for name in names)
    return {"parts": len(names), "data": whole, "crc32": zlib.crc32(whole)}
