"""Protocol v2: one socket, many calls at once."""
