"""Tests of the Python SDK; `SNAKEPIT_TEST_PYTHON_PACKAGES` may name a folder that holds the msgpack package."""

import os
import sys

PACKAGE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXTRA_FOLDER = os.environ.get("SNAKEPIT_TEST_PYTHON_PACKAGES")

if EXTRA_FOLDER:
    sys.path.append(EXTRA_FOLDER)


def require_msgpack():
    """Import msgpack, or say how to install it."""
    try:
        import msgpack
    except ImportError:
        raise AssertionError(
            "these tests need the msgpack package: `python3 -m pip install --target FOLDER msgpack`, "
            "then SNAKEPIT_TEST_PYTHON_PACKAGES=FOLDER"
        ) from None
    return msgpack
