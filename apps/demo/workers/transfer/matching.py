"""Picks lines."""

# A longer line is judged piece by piece.
_LONGEST_LINE = 1024 * 1024


def matching(chunks, text):
    """The lines that hold `text`, with their line feeds; however the chunks are cut."""
    rest = b""
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end == 0 and len(rest) + len(chunk) < _LONGEST_LINE:
            rest += chunk
            continue
        end = end or len(chunk)
        found = _lines_with(rest + chunk[:end], text)
        rest = chunk[end:]
        if found:
            yield found
    if text in rest:
        yield rest


def _lines_with(block, text):
    if text not in block:
        return b""
    lines = block.split(b"\n")
    last = lines.pop()
    found = [line for line in lines if text in line]
    found.append(last if last and text in last else b"")
    return b"\n".join(found)
