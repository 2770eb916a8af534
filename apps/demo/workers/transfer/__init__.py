"""Work on bytes that pass through, in constant memory; imports nothing from the SDK."""
