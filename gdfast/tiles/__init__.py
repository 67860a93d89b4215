"""Sweeps, cut into tiles, and what runs a tile: compiled lanes or the reference, on threads or by an executor."""
