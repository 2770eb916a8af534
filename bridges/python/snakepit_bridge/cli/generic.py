"""The console script `snakepit-generic-bridge`."""

from ..adapters.generic import GenericCommandHandler
from .bridge import run_bridge


def main():
    """Serve the basic commands."""
    run_bridge("snakepit-generic-bridge", "Serves ping, echo, compute and info to a pool.", GenericCommandHandler)


if __name__ == "__main__":
    main()
