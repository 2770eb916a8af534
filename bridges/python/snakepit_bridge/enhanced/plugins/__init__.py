"""What is known of frameworks that callers use."""
