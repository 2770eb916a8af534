"""Protocol v1: stdin and stdout, one call at a time."""
