"""``python -m gdfast`` is the command ``gdfast``."""

from gdfast.cli import main

main()
