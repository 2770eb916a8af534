"""A safe interpreter of arithmetic expressions.

    price * (1 + tax) if price > 0 else 0

Allowed: numbers, names given as arguments, + - * / // % **, unary + and -, comparisons (chained
too), `and`, `or`, `not`, `a if b else c`, and min, max, abs, round. Nothing else parses, so no
attribute, index, string or call of anything else can be reached. Size, depth, exponent and the
bits of integers are limited, so that no expression takes long or much memory.
"""

import ast
import operator

MAX_SOURCE_CHARS = 1000
MAX_DEPTH = 50
MAX_NODES = 500
MAX_EXPONENT = 1000
MAX_INTEGER_BITS = 4096

FUNCTIONS = {"min": min, "max": max, "abs": abs, "round": round}

_BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_}
_COMPARE = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class ExpressionError(ValueError):
    """The expression is not allowed, or cannot be computed with these arguments."""


def compile_expression(source):
    """The checked tree of `source`; raises ExpressionError naming what is not allowed."""
    if not isinstance(source, str) or not source.strip():
        raise ExpressionError("a program must be a non-empty string")
    if len(source) > MAX_SOURCE_CHARS:
        raise ExpressionError(
            "a program may have %d characters, got %d" % (MAX_SOURCE_CHARS, len(source))
        )
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ExpressionError("not an expression: %s" % error) from None
    _check(tree)
    return tree


def evaluate(source, names):
    """The value of the expression with `names` as its variables."""
    tree = compile_expression(source)
    for name, value in names.items():
        _require_number("argument %s" % name, value)
    try:
        return _value(tree, names)
    except ZeroDivisionError:
        raise ExpressionError("division by zero in %r" % source) from None
    except OverflowError:
        raise ExpressionError("a number is too large in %r" % source) from None
    except TypeError as error:
        raise ExpressionError("cannot compute %r: %s" % (source, error)) from None


def _check(tree):
    """Walks without recursion, so that depth is refused before it can hurt."""
    pending = [(tree, 1)]
    nodes = 0
    while pending:
        node, depth = pending.pop()
        nodes += 1
        if depth > MAX_DEPTH:
            raise ExpressionError("a program may be nested %d deep" % MAX_DEPTH)
        if nodes > MAX_NODES:
            raise ExpressionError("a program may have %d parts" % MAX_NODES)
        pending.extend((child, depth + 1) for child in _operands(node))


def _operands(node):
    if isinstance(node, ast.Constant):
        _require_number("a constant", node.value)
        return []
    if isinstance(node, ast.Name):
        return []
    if isinstance(node, ast.BinOp) and (type(node.op) in _BINARY or isinstance(node.op, ast.Pow)):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        return [node.operand]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.Compare) and all(type(op) in _COMPARE for op in node.ops):
        return [node.left] + node.comparators
    if isinstance(node, ast.IfExp):
        return [node.test, node.body, node.orelse]
    if isinstance(node, ast.Call):
        return _call_operands(node)
    described = type(getattr(node, "op", node)).__name__
    raise ExpressionError("not allowed in a program: %s" % described)


def _call_operands(node):
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        raise ExpressionError("a program may only call %s" % ", ".join(sorted(FUNCTIONS)))
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise ExpressionError("%s takes plain arguments only" % node.func.id)
    return node.args


def _value(node, names):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise ExpressionError("the program needs an argument %s" % node.id)
        return names[node.id]
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, names), _value(node.right, names)
        if isinstance(node.op, ast.Pow):
            return _power(left, right)
        return _bounded(_BINARY[type(node.op)](left, right))
    if isinstance(node, ast.UnaryOp):
        return _UNARY[type(node.op)](_value(node.operand, names))
    if isinstance(node, ast.BoolOp):
        return _boolean(node, names)
    if isinstance(node, ast.Compare):
        return _comparison(node, names)
    if isinstance(node, ast.IfExp):
        return _value(node.body if _value(node.test, names) else node.orelse, names)
    arguments = [_value(argument, names) for argument in node.args]
    return _call(node.func.id, arguments)


def _call(function, arguments):
    if function == "round" and len(arguments) == 2:
        digits = arguments[1]
        if not isinstance(digits, int) or not -308 <= digits <= 308:
            raise ExpressionError("round takes a whole number of digits between -308 and 308")
    elif function in ("min", "max") and len(arguments) < 2:
        raise ExpressionError("%s needs at least two arguments" % function)
    try:
        return FUNCTIONS[function](*arguments)
    except ValueError as error:  # round(nan)
        raise ExpressionError("%s: %s" % (function, error)) from None


def _boolean(node, names):
    stops_at = isinstance(node.op, ast.Or)
    for operand in node.values:
        value = _value(operand, names)
        if bool(value) == stops_at:
            return value
    return value


def _comparison(node, names):
    left = _value(node.left, names)
    for op, right_node in zip(node.ops, node.comparators):
        right = _value(right_node, names)
        if not _COMPARE[type(op)](left, right):
            return False
        left = right
    return True


def _power(base, exponent):
    if abs(exponent) > MAX_EXPONENT:
        raise ExpressionError("an exponent may be %d at most, got %r" % (MAX_EXPONENT, exponent))
    if isinstance(base, int) and base.bit_length() * abs(exponent) > MAX_INTEGER_BITS:
        raise ExpressionError("a number is too large: over %d bits" % MAX_INTEGER_BITS)
    value = base**exponent
    if isinstance(value, complex):
        raise ExpressionError("a root of a negative number is not real")
    return _bounded(value)


def _bounded(value):
    if isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS:
        raise ExpressionError("a number is too large: over %d bits" % MAX_INTEGER_BITS)
    return value


def _require_number(what, value):
    """Booleans count: a comparison's result may be an argument."""
    if not isinstance(value, (int, float)):
        raise ExpressionError("%s must be a number, got %s" % (what, type(value).__name__))
    _bounded(value)
