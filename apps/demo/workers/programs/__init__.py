"""Small arithmetic programs that users store in their session."""
