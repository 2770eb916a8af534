"""Following and understanding log files."""
