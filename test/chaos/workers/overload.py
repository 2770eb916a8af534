"""Real work of a given amount, for pools that get more of it than they can do."""

import hashlib


def work(rounds: int) -> int:
    return hashlib.pbkdf2_hmac("sha256", b"overload", b"snakepit", rounds)[0]
