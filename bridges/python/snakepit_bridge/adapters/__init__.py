"""Ready-made command handlers."""
