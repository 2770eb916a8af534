"""Makes an environment for a host: its wish comes as JSON on stdin, and lines of JSON go to stdout.

Lines are `{"log": [level, text]}`; the last is `{"python": path}` or `{"error": text}`, and then the status is 1.
"""

import json
import os
import sys


def main():
    wish = json.load(sys.stdin)
    try:
        _say({"python": _provide(wish)})
    except BrokenPipeError:
        # The host is gone; Python would complain about stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        _say({"error": str(error) or type(error).__name__})
        raise SystemExit(1) from None


def _provide(wish):
    from .build import provide
    from .content import read_content

    content = read_content(wish.get("requirements"), wish.get("requirementsFile"), wish.get("pyproject"), wish["extras"])
    return provide(wish["root"], content, wish["manager"], lambda level, text: _say({"log": [level, text]}))


def _say(message):
    # One write each, since a thread may say something too.
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
