"""Tell what differs between the programs of two folders besides comments and docstrings.

Usage: same_program.py ONE OTHER

Prints the number of programs and of their docstrings in either folder. Exits with 1 and the path of the first program whose
code differs, or stands on other lines.
"""

import ast
import pathlib
import sys


def code_of(path):
    """The code with its lines, and the number of docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    count = 0
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list) or not body or not _is_text(body[0]):
            continue
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            count += bool(body[0].value.value)
            del body[0]
    places = [(type(node).__name__, getattr(node, "lineno", 0), getattr(node, "col_offset", 0)) for node in ast.walk(tree)]
    return (ast.dump(tree), places), count


def _is_text(statement):
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def main(one, other):
    """Compare every program of one folder with that of the other."""
    programs = [path.relative_to(one) for path in sorted(pathlib.Path(one).rglob("*.py"))]
    counts = [0, 0]
    for program in programs:
        (code, count), (stripped, left) = code_of(pathlib.Path(one, program)), code_of(pathlib.Path(other, program))
        if code != stripped:
            sys.exit("%s differs" % program)
        counts = [counts[0] + count, counts[1] + left]
    print(len(programs), *counts)


if __name__ == "__main__":
    main(*sys.argv[1:])
