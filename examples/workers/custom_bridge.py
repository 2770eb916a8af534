#!/usr/bin/env python3
"""A bridge as it was written for snakepit 0.3: a class that registers commands, and a handler for stdin and stdout. It runs as it is."""

import hashlib
import statistics
import sys

from snakepit_bridge import BaseCommandHandler, ProtocolHandler
from snakepit_bridge.core import setup_broken_pipe_suppression, setup_graceful_shutdown


class TextBridge(BaseCommandHandler):
    def _register_commands(self):
        self.register_command("ping", lambda args: {"status": "ok", "bridge": "text"})
        self.register_command("hash", self.handle_hash)
        self.register_command("readability", self.handle_readability)

    def handle_hash(self, args):
        algorithm = args.get("algorithm", "sha256")
        return {"algorithm": algorithm, "digest": hashlib.new(algorithm, args["text"].encode()).hexdigest()}

    def handle_readability(self, args):
        words = args["text"].split()
        sentences = max(1, sum(args["text"].count(mark) for mark in ".!?"))
        mean = statistics.fmean(len(word) for word in words)
        return {"words": len(words), "words_per_sentence": round(len(words) / sentences, 2), "word_length": round(mean, 2)}


if __name__ == "__main__":
    setup_broken_pipe_suppression()
    bridge = ProtocolHandler(TextBridge(), protocol="json", quiet="--quiet" in sys.argv)
    setup_graceful_shutdown(bridge)
    bridge.run()
