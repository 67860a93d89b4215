"""Ways to do the same task: one callable each, with one type of result a task."""
