from test_lines import *
from test_lines import places, check, WRONG
MINE=[l for l in WRONG if l[0] in ("plot","table")]
def test_mine(places, monkeypatch):
    check(MINE, places, monkeypatch)
