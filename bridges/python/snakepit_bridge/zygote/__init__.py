"""A process that imports a pool's modules once and forks its workers, each ready in a moment."""
