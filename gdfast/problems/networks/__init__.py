"""Fully connected networks: parameters, initialization, loss and gradient in NumPy and in lanes."""
