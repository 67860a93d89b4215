// How a page is moved: sliders, pointers, keys, the race, what is saved.
"use strict";

// From the position of a slider, 0 to 1000, to a value, and back.
const SCALES = {
  linear: { value: (k, s) => k.low + (k.high - k.low) * s / 1000, slide: (k, v) => (v - k.low) / (k.high - k.low) * 1000 },
  log: { value: (k, s) => (s <= 0 && k.zero ? 0 : 10 ** (Math.log10(k.low) + Math.log10(k.high / k.low) * s / 1000)), slide: (k, v) => (v > 0 ? Math.log10(v / k.low) / Math.log10(k.high / k.low) * 1000 : 0) },
  near1: { value: (k, s) => (s <= 0 ? 0 : 1 - 10 ** (-k.decades * s / 1000)), slide: (k, v) => -Math.log10(1 - v) / k.decades * 1000 },
};
const tidy = (value) => Number(value.toPrecision(4));

// A slider with a number beside it that can be typed.
function control(box, { label, knob, get, set, colour }) {
  const row = document.createElement("div"), id = `c${refreshes.length}`;
  row.className = "control";
  row.innerHTML = `<label for="${id}"></label><input type="range" id="${id}" min="0" max="1000" step="1"><input type="number" step="any">`;
  const [name, slider, number] = row.children;
  name.append(...label.split(/(?<=_)/).flatMap((part, at) => (at ? [document.createElement("wbr"), part] : [part]))); // where a long one breaks
  number.setAttribute("aria-label", `${label}, as a number`);
  if (colour) slider.style.accentColor = colour;
  const scale = SCALES[knob.scale];
  slider.oninput = () => set(accepted(knob, tidy(scale.value(knob, Number(slider.value)))));
  number.onchange = () => { if (number.value !== "" && Number.isFinite(Number(number.value))) set(accepted(knob, Number(number.value))); else refresh(); };
  const refresh = () => {
    const value = get();
    slider.value = scale.slide(knob, value);
    slider.setAttribute("aria-valuetext", short(value));
    if (document.activeElement !== number || Number(number.value) !== value) number.value = String(Number(value.toPrecision(8)));
  };
  box.append(row);
  refreshes.push(refresh);
}
const refreshes = [];

function changed({ map = true, view = false } = {}) {
  if (view) state.view = null;
  compute_paths();
  draw("landscape", "losses", "map", "bifurcation");
  $("#time").max = String(longest()); $("#time").value = String(state.t ?? longest()); $("#now").textContent = `step ${state.t ?? longest()}`;
  if (map) compute_map();
  compute_bifurcation();
  refreshes.forEach((refresh) => refresh());
  tell();
  save();
}

function tell() {
  const body = $("#ends tbody");
  body.replaceChildren(...OPTIMIZERS.flatMap((optimizer, k) => {
    const path = paths[k];
    if (!path) return [];
    const row = document.createElement("tr"), t = shown_step(path), settled = t === path.last;
    const texts = [label_of(k), settled ? OUTCOMES[path.outcome].replace("_", " ") : "on its way", String(t), short(path.losses[t]), [...path.points.slice(t * D, t * D + D)].map(short).join(", ")];
    texts.forEach((text, i) => {
      const cell = document.createElement(i ? "td" : "th");
      if (!i) { cell.scope = "row"; cell.innerHTML = "<i></i>"; swatch(cell.firstChild, k); }
      if (i === 1 && settled) cell.innerHTML = `<i style="background:${DATA.colours[path.outcome]}"></i>`;
      cell.append(text);
      row.append(cell);
    });
    return [row];
  }));
}

function tell_map() {
  const counts = new Map();
  cells.outcome.forEach((outcome) => counts.set(outcome, (counts.get(outcome) || 0) + 1));
  const told = [...counts].sort((a, b) => b[1] - a[1]).map(([outcome, n]) => `${OUTCOMES[outcome].replace("_", " ")} ${Math.round(1000 * n / SIZE ** 2) / 10 || "< 0.1"} %`);
  $("#share").textContent = `${label_of(state.of)}, ${SIZE} × ${SIZE} trajectories: ${told.join(", ")}.`;
}

// The name of an optimizer with its hyperparameters as they are, or another text for one of them, as command lines read it.
function label_of(k, other = {}) {
  const optimizer = OPTIMIZERS[k];
  return optimizer.parts.map((part, at) => {
    const told = [...part.fixed];
    optimizer.knobs.forEach((knob, i) => { if (knob.part === part.number && (other[i] || state.p[k][i] !== knob.usual)) told.push(`${knob.name}=${other[i] ?? state.p[k][i]}`); });
    return `${at ? "|" : ""}${part.name}${told.length ? ":" + told.join(",") : ""}`;
  }).join("") + (optimizer.unit !== 1 ? `|unit=${optimizer.unit}` : "");
}

const quoted = (text) => (/^[\w.:=,/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
function command() {
  if (!DATA.subject) return "No command: the problem or an optimizer is one of Python's.";
  const [x, y] = axes(), optimizer = OPTIMIZERS[state.of];
  const brief = (v) => { const few = Number(v.toPrecision(12)); return Math.abs(few - v) <= 4e-15 * Math.abs(v) ? few : Number(v.toPrecision(15)); };
  const ends = (axis) => [value_at(axis, 0, SIZE), value_at(axis, SIZE - 1, SIZE)].map(brief).join(":");
  let rule = label_of(state.of), rate = state.eta, starts = state.start.map((v, i) => `${NAMES[i]}=${v}`);
  for (const axis of [x, y]) {
    if (axis.of === "rate") rate = `${ends(axis)}:${SIZE}`;
    else if (typeof axis.of === "number") starts[axis.of] = `${NAMES[axis.of]}=${ends(axis)}:${SIZE}`;
    else {
      // Where the axis is neither linear nor logarithmic, each value.
      const knob = optimizer.knobs[state.knob], every = Array.from({ length: SIZE }, (_, i) => accepted(knob, value_at(axis, i, SIZE)));
      rule = label_of(state.of, { [state.knob]: axis.near1 || knob.whole ? [...new Set(every)].join("/") : `${axis.log ? "log:" : ""}${ends(axis)}:${SIZE}` });
    }
  }
  return ["gdfast sweep", DATA.subject, `--optimizer ${quoted(rule)}`, `--lr ${rate}`, ...starts.map((s) => `--start ${s}`), `--max-steps ${BUDGET}`, "-o map.zarr"].join(" ");
}

function build() {
  const main = $("#sliders"), lo = Math.log10(DATA.rates[0]), hi = Math.log10(DATA.rates[1]);
  control(main, { label: "learning rate η", knob: { scale: "log", low: 10 ** lo, high: 10 ** hi, least: Number.MIN_VALUE, most: 1e300 }, get: () => state.eta, set: (v) => { state.eta = v; changed({ map: state.map === "start-start" }); } });
  NAMES.forEach((name, i) => {
    const [low, high] = DATA.domain[i];
    control(main, { label: `start ${name}`, knob: { scale: "linear", low, high, least: -1e300, most: 1e300 }, get: () => state.start[i], set: (v) => { state.start[i] = v; changed({ map: !(state.map === "start-start" || (D === 1 && state.map === "rate-start")) || D > 1 && i > 0 }); } });
  });
  const boxes = $("#optimizers");
  OPTIMIZERS.forEach((optimizer, k) => {
    const box = document.createElement("fieldset");
    box.innerHTML = `<legend><label><input type="checkbox"><i></i><span></span></label></legend>`;
    optimizer.label.split(/(?<=[|:,_])/).forEach((part, at) => box.querySelector("span").append(at ? document.createElement("wbr") : "", part)); // where a long name breaks
    const check = box.querySelector("input");
    check.style.accentColor = colour_of(k);
    check.onchange = () => { state.on[k] = check.checked; changed({ map: false }); };
    refreshes.push(() => { check.checked = state.on[k]; swatch(box.querySelector("i"), k); });
    if (!optimizer.knobs.length) box.insertAdjacentHTML("beforeend", `<p class="small">No hyperparameter but the learning rate.</p>`);
    optimizer.knobs.forEach((knob, i) => control(box, { label: knob.label, knob, colour: "", get: () => state.p[k][i], set: (v) => { state.p[k][i] = v; changed({ map: state.of === k && !(state.map === "rate-knob" && state.knob === i) }); } }));
    boxes.append(box);
  });
  const option = (value, text) => new Option(text, value);
  const selects = { kind: $("#kind"), of: $("#of"), by: $("#by"), knob: $("#knob") };
  refreshes.push(() => {
    selects.kind.replaceChildren(...maps().map((each) => option(...each)));
    selects.kind.value = state.map;
    selects.of.replaceChildren(...OPTIMIZERS.map((o, k) => option(k, o.label)));
    selects.of.value = state.of;
    selects.knob.replaceChildren(...OPTIMIZERS[state.of].knobs.map((knob, i) => option(i, knob.label)));
    selects.knob.value = state.knob;
    selects.knob.parentElement.hidden = state.map !== "rate-knob";
    selects.by.value = state.by;
    legend();
  });
  selects.kind.onchange = () => { state.map = selects.kind.value; changed({ view: true }); };
  selects.of.onchange = () => { state.of = Number(selects.of.value); state.knob = 0; if (!maps().some(([kind]) => kind === state.map)) state.map = "rate-start"; changed({ view: true }); };
  selects.knob.onchange = () => { state.knob = Number(selects.knob.value); changed({ view: true }); };
  selects.by.onchange = () => { state.by = selects.by.value; changed({ map: false }); };
}

function legend() {
  const entry = (colour, text) => { const item = document.createElement("li"); item.innerHTML = `<i style="background:${colour}"></i>`; item.append(text); return item; };
  const items = state.by === "steps" ? [entry("rgb(253,231,37)", `${cells?.range?.[0] ?? 0} steps`), entry("rgb(33,145,140)", `${cells?.range ? Math.round(Math.sqrt((1 + cells.range[0]) * (1 + cells.range[1]))) : ""}`), entry("rgb(68,1,84)", `${cells?.range?.[1] ?? BUDGET} steps`), entry(DATA.colours[HAS_DIVERGED], "diverged")]
    : state.by === "minimum" ? [...DATA.minima.slice(0, 8).map((m, k) => entry(DATA.basin_colours[k % DATA.basin_colours.length], m.point.map(short).join(", "))), entry("rgb(200,200,200)", "at none"), entry(DATA.colours[HAS_DIVERGED], "diverged")]
    : OUTCOMES.slice(1).map((name, k) => entry(DATA.colours[k + 1], name.replace("_", " ")));
  $("#legend").replaceChildren(...items);
}

// ---- pointers and keys

function dragged(canvas, move) {
  canvas.onpointerdown = (event) => { canvas.setPointerCapture(event.pointerId); canvas.held = true; move(event); };
  canvas.onpointermove = (event) => { if (canvas.held && !pinch.some(Boolean)) move(event); };
  canvas.onpointerup = canvas.onpointercancel = () => { canvas.held = false; };
}

function set_at([x, y], [a, b]) {
  let moved_map = false;
  for (const [axis, place] of [[x, a], [y, b]]) {
    if (axis.of === "rate") { state.eta = tidy_in(axis, 10 ** place); moved_map ||= state.map === "start-start"; }
    else if (typeof axis.of === "number") state.start[axis.of] = tidy_in(axis, place);
    else state.p[state.of][state.knob] = accepted(OPTIMIZERS[state.of].knobs[state.knob], axis.log ? 10 ** place : axis.near1 ? 1 - 10 ** -place : place);
  }
  changed({ map: moved_map });
}

// A number with as many digits as tell apart the cells that are shown.
function tidy_in(axis, value) {
  const span = (axis.high - axis.low) / SIZE * (axis.log ? Math.abs(value) * Math.LN10 : 1);
  const digits = Math.ceil(Math.log10(Math.abs(value) / span || 1)) + 2;
  return Number(value.toPrecision(Math.max(3, Math.min(17, digits))));
}

function zoom(factor, place) {
  const plot = plots.map, [x, y] = axes(), full = full_axes();
  const at = place || [(x.low + x.high) / 2, (y.low + y.high) / 2], view = [];
  [x, y].forEach((axis, i) => {
    let low = at[i] - (at[i] - axis.low) * factor, high = at[i] + (axis.high - at[i]) * factor;
    const size = Math.max(Math.abs(low), Math.abs(high), axis.log ? 0.5 : 0);
    if ((high - low) / SIZE < 4 * 2 ** -52 * size) { low = axis.low; high = axis.high; } // as deep as floats go
    if (high - low > 4 * (full[i].high - full[i].low)) { low = axis.low; high = axis.high; }
    if (axis.of === "rate" || axis.log) { low = Math.max(low, -300); high = Math.min(high, 300); }
    view.push(low, high);
  });
  state.view = view;
  changed();
  plot.canvas.dataset.zoom = String((full[0].high - full[0].low) / (view[1] - view[0]));
}

function pan(dx, dy) {
  const [x, y] = axes();
  const w = (x.high - x.low) * dx, h = (y.high - y.low) * dy;
  state.view = [x.low + w, x.high + w, y.low + h, y.high + h];
  changed();
}

const pinch = [null, null];
function listen() {
  const { landscape, map, bifurcation } = plots;
  dragged(landscape.canvas, (event) => {
    const [x, y] = landscape.place(event), across = landscape.x;
    state.start[0] = tidy_in(across, x);
    if (D > 1) state.start[1] = tidy_in(landscape.y, y);
    changed({ map: !(state.map === "start-start" || (D === 1 && state.map === "rate-start")) || false });
    if (D > 1 && state.map === "rate-start") compute_map();
  });
  dragged(map.canvas, (event) => set_at(axes(), map.place(event)));
  dragged(bifurcation.canvas, (event) => { state.eta = tidy(10 ** bifurcation.place(event)[0]); changed({ map: state.map === "start-start" }); });
  map.canvas.onwheel = (event) => { event.preventDefault(); zoom(2 ** Math.max(-1, Math.min(1, event.deltaY / 200)), map.place(event)); };
  map.canvas.ondblclick = (event) => zoom(0.25, map.place(event));
  const touches = (event) => {
    if (event.touches.length !== 2) { pinch[0] = pinch[1] = null; return; }
    event.preventDefault();
    const [a, b] = event.touches, gap = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), middle = { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 };
    if (pinch[0] && Math.abs(Math.log(gap / pinch[0])) > 0.05) { zoom(pinch[0] / gap, map.place(middle)); pinch[0] = gap; }
    pinch[0] ||= gap;
  };
  for (const kind of ["ontouchstart", "ontouchmove", "ontouchend"]) map.canvas[kind] = touches;
  const keys = (canvas, act) => { canvas.onkeydown = (event) => { if (!event.ctrlKey && !event.metaKey && act(event.key, event.shiftKey ? 8 : 1) !== false) event.preventDefault(); }; };
  keys(landscape.canvas, (key, fast) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowDown: [D - 1, -1], ArrowUp: [D - 1, 1] }[key];
    if (!move) return common(key);
    const [low, high] = DATA.domain[move[0]];
    state.start[move[0]] = tidy(state.start[move[0]] + move[1] * fast * (high - low) / 200);
    changed();
    return true;
  });
  keys(map.canvas, (key, fast) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[key];
    if (move) {
      const both = axes(), at = both.map((axis, i) => { const now = axis.of === "rate" ? Math.log10(state.eta) : typeof axis.of === "number" ? state.start[axis.of] : place_of(axis, state.p[state.of][state.knob]); return now + move[i] * fast * (axis.high - axis.low) / SIZE; });
      set_at(both, at);
      return true;
    }
    if (key === "+" || key === "=") zoom(0.5); else if (key === "-") zoom(2); else if (key === "0") { state.view = null; changed(); } else return common(key);
    return true;
  });
  keys(bifurcation.canvas, (key, fast) => {
    if (key !== "ArrowLeft" && key !== "ArrowRight") return common(key);
    state.eta = tidy(state.eta * 10 ** ((key === "ArrowLeft" ? -1 : 1) * fast * 0.01));
    changed({ map: state.map === "start-start" });
    return true;
  });
  keys(plots.losses.canvas, (key) => common(key));
}

function common(key) {
  if (key === " ") play(); else if (key === ".") step(1); else if (key === ",") step(-1); else return false;
  return true;
}

// ---- the race

function longest() { return Math.max(1, ...paths.filter(Boolean).map((path) => path.last)); }
function step(by) {
  stop();
  state.t = Math.max(0, Math.min(longest(), (state.t ?? longest()) + by));
  moved();
}
function moved() { draw("landscape", "losses"); tell(); save(); $("#time").max = String(longest()); $("#time").value = String(state.t ?? longest()); $("#now").textContent = `step ${state.t ?? longest()}`; }
function stop() { cancelAnimationFrame(playing); playing = 0; $("#play").textContent = "Play"; $("#play").setAttribute("aria-pressed", "false"); }
function play() {
  if (playing) { stop(); return; }
  const from = state.t === null || state.t >= longest() ? 0 : state.t, began = performance.now(), seconds = Math.min(8, 1.5 + Math.log2(longest()));
  $("#play").textContent = "Pause"; $("#play").setAttribute("aria-pressed", "true");
  // Steps pass quicker and quicker, as most happens at first.
  const first = Math.log1p(from), last = Math.log1p(longest());
  const frame = (now) => {
    const share = Math.min(1, Math.max(0, (now - began) / (1000 * seconds)));
    state.t = Math.min(longest(), Math.floor(Math.expm1(first + (last - first) * share) + 1e-9));
    moved();
    if (share < 1) playing = requestAnimationFrame(frame); else stop();
  };
  playing = requestAnimationFrame(frame);
}

// ---- what is saved

function download(name, blob) {
  const link = document.createElement("a"), url = URL.createObjectURL(blob);
  link.href = url; link.download = name; link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
const csv = (rows) => new Blob([rows.map((row) => row.join(",")).join("\n") + "\n"], { type: "text/csv" });

function export_csv() {
  const rows = [["optimizer", "step", ...NAMES, "loss"]];
  paths.forEach((path, k) => { if (path) for (let t = 0; t <= path.last; t++) rows.push([`"${label_of(k)}"`, t, ...path.points.slice(t * D, t * D + D), path.losses[t]]); });
  download("paths.csv", csv(rows));
}

function export_map() {
  const [x, y] = cells.axes, rows = [[x.label, y.label, "outcome", "basin", "steps"]], knob = y.of[0] === "p" && OPTIMIZERS[state.of].knobs[state.knob];
  const value = (j) => (knob ? accepted(knob, value_at(y, j, SIZE)) : value_at(y, j, SIZE));
  for (let j = 0; j < SIZE; j++) for (let i = 0; i < SIZE; i++) { const c = j * SIZE + i; rows.push([value_at(x, i, SIZE), value(j), OUTCOMES[cells.outcome[c]] ?? "", cells.basin[c], cells.steps[c]]); }
  download("map.csv", csv(rows));
}

function export_png() {
  const all = ["landscape", "map", "losses", "bifurcation"].map((name) => plots[name].canvas), page = document.createElement("canvas");
  const w = Math.max(...all.map((c) => c.width)), h = Math.max(...all.map((c) => c.height)), context = page.getContext("2d");
  page.width = 2 * w; page.height = 2 * h;
  context.fillStyle = style("--back"); context.fillRect(0, 0, page.width, page.height);
  all.forEach((canvas, k) => context.drawImage(canvas, (k % 2) * w, Math.floor(k / 2) * h));
  page.toBlob((blob) => download("live.png", blob));
}

async function copy(text, button) {
  try { await navigator.clipboard.writeText(text); } catch { const area = document.createElement("textarea"); area.value = text; document.body.append(area); area.select(); document.execCommand("copy"); area.remove(); }
  const was = button.textContent;
  button.textContent = "copied";
  setTimeout(() => { button.textContent = was; }, 1200);
}

const ACTIONS = {
  play, back: () => step(-1), forth: () => step(1), reset: () => { stop(); state = initial(); changed(); moved(); },
  in: () => zoom(0.5), out: () => zoom(2), all: () => { state.view = null; changed(); }, left: () => pan(-0.25, 0), right: () => pan(0.25, 0), up: () => pan(0, 0.25), down: () => pan(0, -0.25),
  png: export_png, csv: export_csv, mapcsv: export_map,
  link: (button) => { const words = written(); copy(location.href.split("#")[0] + (words ? `#${words}` : ""), button); }, command: (button) => copy(command(), button),
};
$$("button[data-do]").forEach((button) => { button.onclick = () => ACTIONS[button.dataset.do](button); });
$("#time").oninput = () => { stop(); state.t = Number($("#time").value); moved(); };

state = read(decodeURIComponent(location.hash.slice(1)));
build();
listen();
// Sliders stand where they are seen with the pictures: in a column before them, on a narrow page below the first.
const narrow = matchMedia("(max-width: 699.98px)");
narrow.onchange = () => { if (narrow.matches) $(".stage > figure").after($(".panels")); else $(".stage").before($(".panels")); };
narrow.onchange();
changed();
moved();
window.addEventListener("hashchange", () => { state = read(decodeURIComponent(location.hash.slice(1))); changed(); moved(); });
new ResizeObserver(() => draw(...Object.keys(pictures))).observe(document.body);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (cells) cells.dirty = true; refreshes.forEach((r) => r()); draw(...Object.keys(pictures)); tell(); });
window.addEventListener("beforeprint", () => Object.values(pictures).forEach((picture) => picture()));
