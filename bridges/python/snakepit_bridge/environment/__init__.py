"""Virtual environments for workers: made once for what they are to hold, and found again by it."""
