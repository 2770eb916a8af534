"""Where the memory of a buffer lies."""

import ctypes


class _Buffer(ctypes.Structure):
    """The beginning of Python's `Py_buffer`, and room for the rest: https://docs.python.org/3/c-api/buffer.html"""

    _fields_ = [("address", ctypes.c_void_p), ("rest", ctypes.c_void_p * 15)]


_get = ctypes.pythonapi.PyObject_GetBuffer
_get.argtypes = (ctypes.py_object, ctypes.POINTER(_Buffer), ctypes.c_int)
_release = ctypes.pythonapi.PyBuffer_Release
_release.argtypes = (ctypes.POINTER(_Buffer),)


def address_of(view):
    """The address of the first byte of a contiguous buffer."""
    buffer = _Buffer()
    _get(view, buffer, 0)
    try:
        return buffer.address or 0
    finally:
        _release(buffer)
