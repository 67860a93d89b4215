"""Whole sweeps: run, refined, repeated over a further dimension, with progress."""
