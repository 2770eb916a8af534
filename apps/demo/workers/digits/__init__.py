"""A small neural network that reads handwritten digits, in pure Python."""
