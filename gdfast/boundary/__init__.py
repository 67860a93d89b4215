"""The boundary between convergence and divergence: planes to look at, dimensions, figures, the report."""
