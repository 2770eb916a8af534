"""What the worker knows about its own process."""

import os
import platform
import sys
import time

_started = time.monotonic()


def facts():
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "executable": sys.executable,
        "pid": os.getpid(),
        "rss_bytes": resident_bytes(),
        "uptime_ms": round((time.monotonic() - _started) * 1000),
    }


def resident_bytes():
    """Resident memory now where /proc tells it, else its peak; None on neither."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _peak_bytes()


def _peak_bytes():
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
