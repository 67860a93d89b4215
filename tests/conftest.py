"""Random examples are the same in every run, take as long as they need, and leave nothing behind."""

from hypothesis import settings

settings.register_profile("gdfast", derandomize=True, deadline=None, database=None, print_blob=True)
settings.load_profile("gdfast")
