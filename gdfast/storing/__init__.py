"""Results, in memory and stored: what they hold, how they are written, read, checked, repaired and reused."""
