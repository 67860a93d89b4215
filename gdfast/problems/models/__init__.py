"""Models of one's own on rows of data: a formula of columns and parameters, with a loss over the rows."""
