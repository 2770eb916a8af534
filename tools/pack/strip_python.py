"""Take away what the interpreter skips: comments everywhere, docstrings where only those who read the sources see them.

Usage: strip_python.py PACKAGE ROOM...

PACKAGE is a folder, whose `.py` files are changed in place; every line keeps its number, so that tracebacks tell the lines
of the sources. ROOM is a folder in it that authors of workers import nothing from: it loses its docstrings too.
"""

import ast
import io
import pathlib
import sys
import tokenize


def strip(source, docstrings):
    """The same program without comments, and without docstrings if told so."""
    lines = source.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith("#!"):
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    if docstrings:
        for node, owner in _docstrings(ast.parse(source)):
            # A body needs a statement.
            rest = '""' if len(owner.body) == 1 else ""
            first, last = node.lineno - 1, node.end_lineno - 1
            lines[first : last + 1] = [" " * node.col_offset + rest if rest else ""] + [""] * (last - first)
    return "\n".join(lines)


def _docstrings(tree):
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for owner in ast.walk(tree):
        if isinstance(owner, owners) and ast.get_docstring(owner) is not None:
            yield owner.body[0], owner


def main(package, *rooms):
    """Change the files of a package in place."""
    for path in sorted(pathlib.Path(package).rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        room = path.relative_to(package).parts[0]
        path.write_text(strip(source, room in rooms), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
