"""Command lines that are wrong, made from tables: what each option may not be, what exclude each other, what is missing.

Each is a list of words, in which STORE stands for a sound store, FOLDER for a folder, FILE for a file that is no store,
LOCKED for a folder that may not be written, LINK for a link that leads nowhere, FIFO for a FIFO, TABLE for a CSV file,
OUT for a folder that is empty before and after, and LONG for 5000 letters.
"""

SWEEP = ["sweep", "--problem", "quartic", "--optimizer", "gd", "--max-steps", "5", "--out", "OUT/x.zarr"]
TURNS = [*SWEEP[:1], "--loss", "x**2", "--loss", "(x-1)**2", "--order", "in_turn", *SWEEP[3:]]
MAP = ["map", "STORE", "-o", "OUT/m.png"]
PLOT = ["plot", "ecdf", "STORE", "-o", "OUT/m.png"]
TABLE = ["table", "STORE", "-o", "OUT/t.csv"]
RACE = ["animate", "race", "--problem", "quartic", "--optimizer", "gd", "--frames", "3", "-o", "OUT/m.gif"]
COMPARE = ["compare", "STORE", "STORE", "-o", "OUT/c.png"]
BOUNDARY = ["boundary", "--condition", "quartic", "--resolution", "64", "--out", "OUT/b"]
TUNE = ["tune", "TABLE", "--target", "y", "--optimizer", "gd", "--seeds", "1", "--max-steps", "4", "--out", "OUT/t"]
LIVE = ["live", "quartic", "--max-steps", "5", "-o", "OUT/l.html"]
SCORE = ["score", "--optimizer", "gd", "--suite", "1", "--against", "gd", "--out", "OUT/s"]
HANDBOOK = ["handbook", "--out", "OUT/h"]
REPORT = ["report", "--quick", "--only", "ravine", "--out", "OUT/r"]

NO_NAMES = ["", "nix", "NIX", "Ω", "a\x1b[31mb", "a\nb", "LONG", "--", "🦊", "gd\x07"]
NO_INTEGERS = ["", "x", "1.5", "1e3", "nan", "inf", "1" + "0" * 400, "-" + "9" * 30, "٣x", "0x10", "LONG", "1,5"]
NO_COUNTS = [*NO_INTEGERS, "0", "-1"]
NO_NUMBERS = ["", "x", "nan", "inf", "-inf", "1e999", "1,5", "LONG", "1 2", "\x00"]
NO_AXES = [
    *NO_NUMBERS, ":", "::", "1:2", "1:2:3:4", "1:2:0", "1:2:-1", "1:2:1.5", "1:2:x", "a:b:3", "nan:1:3", "0.1:inf:3",
    "1e999:1:3", "log:", "log:log:1:2:3", "linear:1:2", "log:0:1:3", "log:-1:1:3", "1:2:1000000000000", "1:2:9999999999",
    "1:2:2000000000", "1:2:" + "9" * 5000, "-1e308:1e308:3",
]  # fmt: skip
NO_PICTURES = ["OUT", "FOLDER", "FIFO", "LINK.png", "OUT/m.gif", "OUT/m", "OUT/" + "n" * 300 + ".png", "FILE/m.png", ""]
NO_STORES = ["", "OUT/none.zarr", "FOLDER", "FILE", "FIFO", "LINK.png", "none.nc", "FILE/x", "TABLE", "n" * 300, "LONG"]
NO_FOLDERS = ["FILE", "FILE/r", "FIFO", "LINK.png", "OUT/" + "n" * 300]


def _without(line, option):
    """A line without an option and its value."""
    place = line.index(option)
    return line[:place] + line[place + 2 :]


def _option(line, option, values):
    line = _without(line, option) if option in line else line
    return [
        [*line, f"{option}={value}" if option.startswith("--") else option, *_value(option, value)] for value in values
    ]


def _value(option, value):
    return [] if option.startswith("--") else [value]


def wrong():
    """All of them."""
    return [
        *_option(SWEEP, "--problem", [*NO_NAMES, *_PROBLEMS]),
        *_option(SWEEP, "--optimizer", [*NO_NAMES, *_OPTIMIZERS]),
        *_option(SWEEP, "--schedule", [*NO_NAMES, *_SCHEDULES]),
        *_option(SWEEP, "--transform", [*NO_NAMES, *_TRANSFORMS]),
        *_option(SWEEP, "--lr", [*NO_AXES, "0", "-1", "0:1:5", "-1:1:5", "linear:0:1:3", "linear:-1:1:3", "1e-400"]),
        *_option(SWEEP, "--start", [*NO_AXES, "y=1", "theta0=nix", "=1", "x=", "a=b=c", "a\x1b=1:2:3"]),
        *_option(SWEEP, "--max-steps", [*NO_COUNTS, "2147483648"]),
        *_option(SWEEP, "--check-every", NO_COUNTS),
        *_option(SWEEP, "--history", [*NO_NAMES, *_HISTORIES]),
        *_option(SWEEP, "--measure", [*NO_NAMES, "convergence:window=0", "steps_to_reach:tolerance=-1", "nowhere.py:name"]),
        *_option(SWEEP, "--problem", ["nowhere.py:bowl", "nowhere.py:", "FILE.py:bowl", "FOLDER.py:x", "LONG.py:x", ".py:x"]),
        *_option(SWEEP, "--param", [*NO_NAMES, "a", "=1", "a=", "a=1:2", "dimension=nix", "1=2", "a=1,b=2", "a b=1"]),
        *_option(SWEEP, "--loss-tolerance", [*NO_NUMBERS, "-1"]),
        *_option(SWEEP, "--gradient-tolerance", [*NO_NUMBERS, "-1", "1e13"]),
        *_option(SWEEP, "--workers", [*NO_COUNTS, "100000000"]),
        *_option(SWEEP, "--processes", [*NO_COUNTS, "100000000"]),
        *_option(SWEEP, "--dtype", [*NO_NAMES, "float16", "int"]),
        *_option(SWEEP, "--backend", [*NO_NAMES, "cuda"]),
        *_option(SWEEP, "--out", ["FILE", "FOLDER", "FILE/x.zarr", "FIFO", "STORE", "OUT/" + "n" * 300, "OUT/x.png"]),
        *_option(_without(TURNS, "--order"), "--order", [*NO_NAMES, "quartic", "phases:until=0", "drawn:seed=x", "in_turn:"]),
        *_option(TURNS, "--minimum", [*NO_NUMBERS, "3"]),
        [*SWEEP, "--order", "in_turn"], [*TURNS, "--maximize"], [*SWEEP, "--maximize", "--minimum", "0"], [*SWEEP, "--minimum", "0"],
        *_option(_without(SWEEP, "--problem"), "--loss", ["", "x +", "1", "nix(x)", "x" * 4001, "x\x1b", "x;y", "__import__('os')"]),
        *[[*SWEEP, *more] for more in _CONTRADICTIONS],
        *[_without(SWEEP, option) for option in ("--problem", "--optimizer", "--out")],
        *_option(MAP, "-o", NO_PICTURES),
        *[["map", store, "-o", "OUT/m.png"] for store in NO_STORES],
        *_option(MAP, "--optimizer", NO_NAMES),
        *_option(MAP, "--quantity", [*NO_NAMES, "theta", "measure", "accuracy", "loss at step", "loss at step 3", "theta at step 3"]),
        *_option(MAP, "--x", [*NO_NAMES, "start", "momentum"]),
        *_option(MAP, "--y", [*NO_NAMES, "learning_rate"]),
        *_option(MAP, "--at", [*_PLACES, *NO_NAMES]),
        ["map"], ["map", "STORE"], ["map", "-o", "OUT/m.png"], [*MAP, "STORE"], [*MAP, "-o", "OUT/n.png"],
        ["plot", "nix", "STORE", "-o", "OUT/m.png"], ["plot", "ecdf"], ["plot", "delta", "STORE", "-o", "OUT/m.png"],
        *[["plot", kind, "STORE", "-o", "OUT/m.png"] for kind in ("history", "history-map", "bifurcation")],
        *_option(PLOT, "-o", NO_PICTURES),
        *[["plot", "ecdf", store, "-o", "OUT/m.html"] for store in NO_STORES],
        *_option(PLOT, "--optimizer", NO_NAMES),
        *_option(PLOT, "--rates", NO_NAMES), *_option(PLOT, "--of", [*NO_NAMES, "loss"]),
        *_option(PLOT, "--at", [*_PLACES, *NO_NAMES]),
        *_option(PLOT, "--size", [*(n for n in NO_NUMBERS if n != "1,5"), "1", "1x2x3", "0x1", "-1x2", "1000x1"]),
        *_option(PLOT, "--palette", ["nix", "red,nix", "gd=nix", "nix=red", "gd=", "=", ",", "LONG", "\x00"]),
        *_option(["plot", "sensitivity", *PLOT[2:]], "--quantity", NO_NAMES),
        *_option(["plot", "curves", *PLOT[2:]], "--above", NO_NUMBERS),
        *[["plot", "profile", "STORE", store, "-o", "OUT/m.png"] for store in NO_STORES],
        *_option(TABLE, "-o", [place.replace("m.png", "t.csv") for place in NO_PICTURES]),
        *[["table", store, "-o", "OUT/t.csv"] for store in NO_STORES],
        *_option(TABLE, "--at", [*_PLACES, *NO_NAMES]), [*TABLE, "--history"],
        *_option(RACE, "-o", ["OUT", "OUT/m.png", "OUT/m.mpeg", "FILE/m.gif", ""]),
        *_option(RACE, "--optimizer", NO_NAMES),
        *_option(RACE, "--lr", [*NO_NUMBERS, "0", "-1"]), [*RACE, "--lr", "0.1", "--lr", "0.2"],
        *_option(RACE, "--start", [*NO_NUMBERS, "1:2:3", "y=1"]), [*RACE, "--start", "1", "--start", "2"],
        *_option(RACE, "--frames", [*NO_COUNTS, "1", "601"]),
        *_option(RACE, "--max-steps", NO_COUNTS),
        ["animate", "race", "--problem", "rastrigin:dimension=3", "--optimizer", "gd", "-o", "OUT/m.gif"],
        *_option(["animate", "map", "STORE", "-o", "OUT/m.gif"], "--over", [*NO_NAMES, "start", "learning_rate", "rule", "step"]),
        *[["animate", "map", store, "--over", "beta1", "-o", "OUT/m.gif"] for store in NO_STORES],
        *_option(COMPARE, "-o", NO_PICTURES), *_option(COMPARE, "--of", [*NO_NAMES, "loss"]),
        *[["compare", "STORE", store] for store in NO_STORES],
        *[["compare", store, "STORE", "-o", "OUT/c.png"] for store in NO_STORES],
        ["compare"], ["compare", "STORE"], [*COMPARE, "STORE"], ["compare", "STORE", "OTHER", "-o", "OUT/c.png"],
        *[["status", store] for store in NO_STORES], ["status"], ["status", "STORE", "STORE"],
        *[["summary", store] for store in NO_STORES], ["summary"], ["summary", "STORE", "STORE"],
        *_option(["summary", "STORE"], "--of", [*NO_NAMES, "loss"]),
        *_option(["summary", "STORE"], "--share", [*NO_NUMBERS, "0", "-1", "1.5"]),
        *_option(SCORE, "--optimizer", [*NO_NAMES, *_OPTIMIZERS]), ["score"], ["score", "--optimizer"],
        *_option(SCORE, "--suite", [*NO_NAMES, "0", "2"]), *_option(SCORE, "--against", NO_NAMES),
        *_option(SCORE, "--out", NO_FOLDERS),
        *_option(REPORT, "--only", [*NO_NAMES, "quartic"]),
        *_option(REPORT, "--problem", [*NO_NAMES, *_PROBLEMS]),
        *_option(REPORT, "--optimizer", [*NO_NAMES, *_OPTIMIZERS]),
        *_option(REPORT, "--out", NO_FOLDERS),
        *_option(HANDBOOK, "--out", NO_FOLDERS),
        ["report", "--quick", "--only", "basins", "--problem", "quartic", "--out", "OUT/r"],
        *[["report", store, "--out", "OUT/r"] for store in NO_STORES],
        *[["report", "--quick", *more, "--out", "OUT/r"] for more in _REPORTS],
        *[["live", name, "-o", "OUT/l.html"] for name in [*NO_NAMES, *_PROBLEMS, "linear_regression", "mlp", "rastrigin:dimension=3"]],
        *_option(LIVE, "--optimizer", [*NO_NAMES, *_OPTIMIZERS]),
        *_option(LIVE, "--lr", [*NO_NUMBERS, "1", "2:1", "0:1", "-1:1", "1:2:3", "nan:1", "1:inf"]),
        *_option(LIVE, "--start", [*NO_NUMBERS, "1:2:3", "y=1"]), [*LIVE, "--start", "1", "--start", "2"],
        *_option(LIVE, "--max-steps", [*NO_COUNTS, "20001"]),
        *_option(LIVE, "-o", ["OUT", "FOLDER", "FILE/l.html", ""]),
        [*LIVE, "--loss", "x**2"], [*LIVE, "--domain", "1:2"], *_option([*LIVE[:1], "--loss", "x**2", *LIVE[2:]], "--domain", [
            *NO_NUMBERS, "1", "2:1", "1:1", "1:2:3", "log:1:2", "nan:1", "-1e308:1e308", "y=0:1", "x=", "x=1", "0:inf",
        ]), [*LIVE, "--lessons"], ["live"], ["live", "--loss", "x*y*z"],
        *[["live", "--loss", "x**2", "--domain", domain, "-o", "OUT/l.html"] for domain in [*NO_NUMBERS, "y=1:2", "1"]],
        *[["live", "--loss", "a*x**2", "--param", word, "-o", "OUT/l.html"] for word in ["a", "a=x", "b=1", "a=1/2", "a=nan"]],
        *_option(TUNE, "--target", NO_NAMES),
        *_option(TUNE, "--model", [*NO_NAMES, "quartic", "mlp:widths=2/1"]),
        *_option(TUNE, "--optimizer", [*NO_NAMES, *_OPTIMIZERS]),
        *_option(TUNE, "--batch-size", [*NO_INTEGERS, "-1", "4"]),
        *_option(TUNE, "--seeds", [*NO_COUNTS, "100000"]),
        *_option(TUNE, "--max-steps", [*NO_COUNTS, "1", "2147483648"]),
        *_option(TUNE, "--validation", [*NO_NUMBERS, "0", "1", "-0.5"]),
        *_option(TUNE, "--features", [*NO_NAMES[1:], "y", "a,a", '"a'],),
        *_option(TUNE, "--drop", [*NO_NAMES[1:], "y", "a", '"a']),
        *_option(TUNE, "--missing", [*NO_NAMES, "zero"]),
        *_option(TUNE, "--csv", [*NO_NAMES[1:], "separator", "separator=nix", "decimal=nix", "encoding=nix", "comment=ab", "sep=tab"]),
        *_option(TUNE, "--out", NO_FOLDERS),
        *[["tune", table, "--target", "y", "--out", "OUT/t"] for table in ["", "FOLDER", "FILE", "FIFO", "none.csv", "nix", "LONG", "STORE"]],
        ["tune"], ["tune", "TABLE"], ["tune", "iris", "--target", "y"], ["tune", "iris", "--no-header"], [*TUNE, "TABLE"],
        *_option(BOUNDARY, "--condition", NO_NAMES),
        *_option(BOUNDARY, "--optimizer", [*NO_NAMES, *_OPTIMIZERS]),
        *_option(BOUNDARY, "--resolution", [*NO_COUNTS, "63", "16385"]),
        *_option(BOUNDARY, "--center", [*NO_NUMBERS[:-4], "LONG", "1", "1,2,3", "nan,1", "1,inf", "a,b", "1e999,0", "400,0"]),
        *_option(BOUNDARY, "--zoom", [*NO_NUMBERS, "0", "-1", "1e16", "1e-300"]),
        *_option(BOUNDARY, "--frames", NO_COUNTS),
        *_option(BOUNDARY, "--factor", [*NO_NUMBERS, "1", "0", "-2"]),
        *_option(BOUNDARY, "--follow", NO_NAMES),
        *_option(BOUNDARY, "--seeds", NO_COUNTS),
        *_option(_option(BOUNDARY, "--condition", ["tanh"])[0], "--width", [*NO_COUNTS, "4096", "5000"]),
        *_option(BOUNDARY, "--max-steps", [*NO_COUNTS, "2147483648"]),
        *_option(BOUNDARY, "--workers", [*NO_COUNTS, "100000000"]),
        *_option(BOUNDARY, "--out", NO_FOLDERS),
        *_option(BOUNDARY, "--store", NO_FOLDERS),
        [*BOUNDARY, "--resolution", "512"], [*BOUNDARY, "--frames", "2", "--frames", "3"],
        [*BOUNDARY, "--frames", "1000000000", "--factor", "1.000001"],
        *[[command, "--nix"] for command in ("sweep", "map", "compare", "status", "summary", "report", "tune", "boundary", "live", "list")],
        *[["list", name] for name in NO_NAMES if name != "--"], ["list", "problems", "x"], ["list", "problems", "--parity"],
        *[[name] for name in NO_NAMES if name != "--"], ["--nix"], ["-x"], ["--version=3"], ["--quick"],
    ]  # fmt: skip


_PROBLEMS = [
    "quartc", "quartic:x=1", "quartic:", "mlp:widths=2", "mlp:widths=0/1", "mlp:widths=a", "mlp:widths=2/1000000/1000000/1",
    "mlp:widths=2/1048577/1", "mlp:points=0", "mlp:points=2000000000", "mlp:seed=-1", "mlp:seed=1.5", "mlp:loss=nix",
    "mlp:activation=nix", "mlp:gain=nan", "mlp:bias=3", "mlp:batch_size=0", "mlp:batch_size=100", "mlp:data=3/2", "mlp:data=3",
    "mlp:seed=1,seed=2", "mlp:widths=2/8/1,widths=2/1", "mlp:=2", "mlp:widths", "mlp:,", "rosenbrock:dimension=1000000000",
    "rosenbrock:dimension=1", "rosenbrock:dimension=2.5", "rosenbrock:dimension=nan", "rosenbrock:dimension=true",
    "quadratic:dimension=1000000000", "quadratic:condition=0", "quadratic:condition=1e999", "quadratic:condition=x",
    "quadratic:rotation=x", "quadratic:dimension=5000,rotation=1", "rastrigin:dimension=99999", "ackley:dimension=9",
    "styblinski_tang:dimension=0", "plateau:dimension=-3", "trainability_network:width=4096", "linear_regression:data=1/2",
    "trainability_network:width=0", "linear_regression:data=nix", "linear_regression:data=(source=FOLDER,target=y)",
    "linear_regression:data=TABLE", "linear_regression:data=(source=TABLE,target=z)", "linear_regression:data=(target=y)",
    "linear_regression:data=(source=FIFO,target=y)", "logistic_regression:data=(source=OUT/none.csv,target=y)", "softmax_regression:seed=-1",
    "linear_regression:batch_size=99", "quartic:LONG=1", "mlp:data=LONG", "quadratic:dimension=1" + "0" * 400,
    "quadratic:condition=1" + "0" * 400,
]  # fmt: skip
_OPTIMIZERS = [
    "adma", "gd:x=1", "gd:", "adam:beta1", "adam:beta1=", "adam:beta1=2", "adam:beta1=nan", "adam:beta1=x", "adam:beta1=true",
    "adam:amsgrad=1", "adam:beta1=0.5,beta1=0.9", "adam:beta1=0:0.9", "adam:beta1=0:0.9:0", "adam:beta1=0:0.9:x",
    "adam:beta1=0:2:5", "adam:beta1=0.5/2", "momentum:momentum=0:0.99:100000000", "momentum:momentum=0:0.9:20000,dampening=0:0.9:20000",
    "adam:beta1=" + "1" * 400, "adam:LONG=1", "adam:beta1=LONG", "adam:,", "adam:=", "adam: ", "adam=3", "adam:beta1=0.5;beta2=1",
    "asgd:alpha=-1", "gd:\x1b=1",
]  # fmt: skip
_SCHEDULES = [
    "cosin", "cosine:x=1", "cosine:", "cosine:floor=x", "step_decay:every=0", "warmup:then=nix", "warmup:then=3",
    "warmup:steps=nan", "step_decay:every=1e999", "cosine:LONG", "cosine:=1", "cosine:,",
]  # fmt: skip
_TRANSFORMS = [
    "clip", "clip_norm=", "clip_norm=0", "clip_norm=x", "clip_norm=nan", "clip_norm:max_norm=1,max_norm=2", "clip_norm:x=1",
    "noise=-1", "noise:seed=-1", "noise:seed=x", "normalize=3", "clip_norm=1/x", "clip_norm=" + "9" * 400, "clip_norm:LONG",
    "lookahead=0", "lookahead=2.5", "lookahead:alpha=2", "box:low=2,high=1", "box=nan", "ball=0", "simplex=0", "l1_ball:over=x", "l2:of=biases", "cautious:over=x",
]  # fmt: skip
_CONTRADICTIONS = [
    ["--loss", "x**2"], ["--data", "iris", "--target", "y"], ["--target", "y"], ["--data", "iris"], ["--workers", "1", "--processes", "1"],
    ["--workers", "1", "--scheduler", "tcp://127.0.0.1:9"], ["--start", "1", "--start", "2"], ["--start", "theta=1", "--start", "2"],
    ["--start", "x=1", "--start", "x=2"], ["--lr", "1", "--lr", "2"], ["--out", "OUT/y.zarr"], ["--problem", "booth"],
    ["--max-steps", "3"], ["--dtype", "float64", "--dtype", "float32"], ["--overwrite=1"], ["extra"], ["--scheduler", "nix://x"],
    ["--optimizer", "polyak_sgd", "--start", "nix"], ["--optimizer", "adam", "--schedule", "cosine", "--transform", "nix"],
    ["--scheduler", ""], ["--scheduler", "LONG"], ["--start", "1:2:100000", "--start", "1:2:100000"],
]  # fmt: skip
_HISTORIES = [
    "los", "loss,", "loss,loss", "loss:", "loss:0", "loss:x", "loss:1.5", "loss:5/3", "loss:-1/3", "loss:0/6", "loss:linear:x",
    "loss:1:2:3", "loss:cubic:3", "accuracy", "validation_loss", "loss:" + "9" * 400, "loss sharpness", "loss:(3",
]  # fmt: skip
_PLACES = [
    "start", "start=", "start=x", "start=nan", "start=inf", "start=1,2", "start=#", "start=#-1", "start=#99", "start=#x",
    "start=#" + "9" * 5000, "start=1e999", "learning_rate=", "learning_rate=x", "learning_rate=#99", "momentum=1", "=3", "start=#1.5",
]  # fmt: skip

_REPORTS = [
    ["--loss", "nix("], ["--loss", "x**2", "--problem", "quartic"], ["--loss", "x**2", "--start", "1:2"], ["--start", "0:1:2"],
    ["--data", "TABLE"], ["--data", "TABLE", "--target", "z"], ["--target", "y"], ["--data", "iris", "--loss", "x"],
    ["--data", "iris", "--problem", "quartic"], ["--data", "iris", "--problem", "mlp", "--problem", "quartic"], ["--drop", "a"],
    ["STORE", "--only", "rates"],
]  # fmt: skip

NASTY = [
    "", "-", "--", "nan", "inf", "-1", "0", "1e999", "-0.0", "1" * 400, "LONG", "OUT", "FOLDER", "FILE", "FIFO", "STORE",
    "LINK.png", "/", "/dev/full", "/dev/null", ".", "..", "x=1", "a:b", "1:2:3", "1:2:1000000000000", "\x1b[31m", "\x00",
    "\udc80", "$x$", "[red]", "#1", "start=#1", "--out", "--lr", "--problem", "--help", "-o", "é" * 200, "gd", "adam:beta1=0.5",
]  # fmt: skip
"""Words that may stand in the place of any other."""

INSERTED = [":", "=", ",", "|", "#", "-", ".", "e", "9", "\x1b", "'", " ", "nan", ":::", "1e999", "\u202e"]
"""What may be typed into a word."""
