// The page: its state, which the address holds, what is drawn of it, and how it is moved.
"use strict";

const $ = (selector) => document.querySelector(selector), $$ = (selector) => [...document.querySelectorAll(selector)];
const D = TASK.d, NAMES = DATA.coordinates, BUDGET = TASK.budget;
// Cells a side of the map, a multiple of 8 that the address may tell, for slow machines.
const SIZE = Math.min(1024, Math.max(32, 8 * Math.round(Number(/(?:^|&)n=(\d+)/.exec(location.hash.slice(1))?.[1] ?? 256) / 8)));
const initial = () => ({
  eta: DATA.eta, start: [...DATA.start], p: OPTIMIZERS.map((o) => o.knobs.map((k) => k.value)), on: OPTIMIZERS.map(() => true),
  of: DATA.of, map: DATA.map, knob: 0, by: DATA.by, view: null, t: null,
});
let state = initial(), paths = [], cells = null, dots = [], diagram = "", generation = 0, playing = 0;

const plots = {
  landscape: new Plot($("#landscape"), D === 1 ? [NAMES[0], "loss"] : NAMES),
  map: new Plot($("#map"), ["", ""]),
  losses: new Plot($("#losses"), ["step", ""]),
  bifurcation: new Plot($("#bifurcation"), ["learning rate η", NAMES[0]]),
};
// Six colours; from the seventh optimizer on they come again, dashed and with squares.
const colour_of = (k) => style(`--line-${k % 6}`), again = (k) => k >= 6, dashes = (k) => (again(k) ? [5, 3] : []);
const swatch = (mark, k) => { mark.style.background = colour_of(k); mark.classList.toggle("square", again(k)); };
const crew = new Crew($("#program").textContent, Math.max(1, Math.min(4, navigator.hardwareConcurrency || 2)));

// ---- the address

function written() {
  const first = initial(), words = [], number = (v) => String(v);
  if (state.eta !== first.eta) words.push(`eta=${number(state.eta)}`);
  if (state.start.some((v, i) => v !== first.start[i])) words.push(`start=${state.start.map(number)}`);
  state.p.forEach((p, k) => p.forEach((v, i) => { if (v !== first.p[k][i]) words.push(`p${k}.${i}=${number(v)}`); }));
  if (!state.on.every(Boolean)) words.push(`on=${state.on.map(Number).join("")}`);
  for (const name of ["of", "map", "knob", "by"]) if (state[name] !== first[name]) words.push(`${name}=${state[name]}`);
  if (state.view) words.push(`view=${state.view.map(number)}`);
  if (SIZE !== 256) words.push(`n=${SIZE}`);
  if (state.t !== null) words.push(`t=${state.t}`);
  return words.join("&");
}

function read(text) {
  const told = initial(), number = (v) => { const x = Number(v); if (v === "" || !Number.isFinite(x)) throw new Error(v); return x; };
  for (const word of text.split("&").filter(Boolean)) {
    const [name, value = ""] = word.split("=");
    try {
      if (name === "eta") told.eta = Math.max(number(value), 1e-300);
      else if (name === "start") { const at = value.split(",").map(number); if (at.length === D) told.start = at; }
      else if (name === "on") told.on = told.on.map((_, k) => value[k] !== "0");
      else if (name === "of" && OPTIMIZERS[number(value)]) told.of = number(value);
      else if (name === "map" && maps().some(([kind]) => kind === value)) told.map = value;
      else if (name === "knob") told.knob = number(value);
      else if (name === "by" && ["outcome", "minimum", "steps"].includes(value)) told.by = value;
      else if (name === "view") { const view = value.split(",").map(number); if (view.length === 4 && view[0] < view[1] && view[2] < view[3]) told.view = view; }
      else if (name === "t") told.t = Math.max(0, Math.round(number(value)));
      else if (/^p\d+\.\d+$/.test(name)) { const [k, i] = name.slice(1).split(".").map(Number); if (told.p[k]?.[i] !== undefined) told.p[k][i] = accepted(OPTIMIZERS[k].knobs[i], number(value)); }
    } catch { /* what cannot be read stays as it is */ }
  }
  if (!OPTIMIZERS[told.of].knobs[told.knob]) told.knob = 0;
  if (told.map === "rate-knob" && !OPTIMIZERS[told.of].knobs.length) told.map = "rate-start";
  return told;
}

let saving = 0;
function save() {
  clearTimeout(saving);
  saving = setTimeout(() => {
    const words = written();
    try { history.replaceState(null, "", words ? `#${words}` : location.href.split("#")[0]); } catch { /* in a frame without an address */ }
    $("#command").textContent = command();
  }, 150);
}

// ---- what is computed

function maps() {
  const kinds = [["rate-start", `learning rate × start ${NAMES[0]}`]];
  if (D > 1) kinds.push(["start-start", `start ${NAMES[0]} × start ${NAMES[1]}`]);
  if (OPTIMIZERS[state.of].knobs.length) kinds.push(["rate-knob", "learning rate × hyperparameter"]);
  return kinds;
}

function full_axes() {
  const [low, high] = DATA.rates.map(Math.log10), domain = DATA.domain;
  const rate = { of: "rate", low, high, log: true, label: "learning rate η" };
  const start = (i) => ({ of: i, low: domain[i][0], high: domain[i][1], log: false, label: `start ${NAMES[i]}` });
  if (state.map === "start-start") return [start(0), start(1)];
  if (state.map === "rate-start") return [rate, start(0)];
  const knob = OPTIMIZERS[state.of].knobs[state.knob], axis = { of: `p${state.knob}`, label: knob.label };
  const [bottom, top] = knob.scale === "log" ? [Math.log10(knob.low), Math.log10(knob.high)] : knob.scale === "near1" ? [0, knob.decades] : [knob.low, knob.high];
  return [rate, { ...axis, low: bottom, high: top, log: knob.scale === "log", near1: knob.scale === "near1" }];
}

function axes() {
  const [x, y] = full_axes(), view = state.view;
  return view ? [within(x, view[0], view[1]), within(y, view[2], view[3])] : [x, y];
}

// An axis from low to high, as far as what it moves may go.
function within(axis, low, high) {
  if (typeof axis.of === "string" && axis.of[0] === "p") {
    const knob = OPTIMIZERS[state.of].knobs[state.knob], place = (value, end) => (axis.log ? (value > 0 ? Math.log10(value) : -300) : axis.near1 ? end : value);
    low = Math.max(low, place(knob.least, 0)); high = Math.min(high, place(knob.most, 15.9));
  }
  return low < high ? { ...axis, low, high } : axis;
}

function compute_paths() { paths = OPTIMIZERS.map((o, k) => (state.on[k] ? path_of(o, state.p[k], state.eta, state.start) : null)); }

function compute_map() {
  const [x, y] = axes(), plan = { of: state.of, p: state.p[state.of], rate: state.eta, start: state.start, x, y, n: SIZE };
  const current = ++generation, fresh = new Cells(SIZE), pieces = [];
  // What does not lie along an axis moves the whole map; the old one stays until the first cells of the new have come.
  let left = 0;
  for (const stride of [8, 4, 2, 1]) {
    const all = Array.from({ length: SIZE / stride }, (_, j) => j * stride), many = stride === 8 ? crew.workers.length * 2 : Math.max(crew.workers.length * 2, SIZE / stride / 8);
    const first = stride === 8, size = Math.ceil(all.length / many);
    let pending = 0;
    for (let at = 0; at < all.length; at += size) {
      const rows = all.slice(at, at + size);
      pending++;
      pieces.push({
        message: { kind: "cells", plan, stride, rows, first },
        told: (found) => {
          if (current !== generation) return;
          fresh.put(found, stride, rows, first);
          if (--pending === 0 || !first) {
            if (first || fresh.stride === stride * 2 || fresh.stride === stride) fresh.stride = pending === 0 ? stride : fresh.stride;
            if (first ? pending === 0 : true) { fresh.axes = [x, y]; cells = fresh; cells.dirty = true; if (first) mark("first"); draw("map"); }
          }
          if (++left === pieces.length) { mark("whole"); tell_map(); }
        },
      });
    }
  }
  mark("asked");
  crew.ask("cells", pieces);
}

function mark(name) { (window.marks ||= {})[name] = performance.now(); }

function compute_bifurcation() {
  const [low, high] = DATA.rates.map(Math.log10), x = axes()[0].of === "rate" ? axes()[0] : { of: "rate", low, high, log: true };
  const plan = { of: state.of, p: [...state.p[state.of]], start: [...state.start], x, n: 320, last: 48, along: 0 }, wanted = JSON.stringify(plan), fresh = [];
  if (wanted === diagram) return; // neither the rate nor what the map alone shows moves it
  diagram = wanted;
  $("#from").textContent = `${label_of(state.of)} from ${NAMES.map((name, i) => `${name} = ${short(state.start[i])}`).join(", ")}`;
  fresh.x = x;
  const pieces = [];
  for (let from = 0; from < plan.n; from += 40) {
    pieces.push({ message: { kind: "columns", plan, from, to: from + 40 }, told: (found) => {
      if (wanted !== diagram) return;
      fresh.push(found);
      if (fresh.length === pieces.length || fresh.length === 2) { dots = fresh; draw("bifurcation"); }
      if (fresh.length === pieces.length) dots = fresh;
    } });
  }
  crew.ask("columns", pieces);
}

// Learning rates up to which minima attract the optimizer that the map is of: pairs of a rate and what it is the limit of.
function lines() {
  const optimizer = OPTIMIZERS[state.of], p = state.p[state.of], formula = LINES[state.of];
  const own = optimizer.knobs.every((knob, i) => knob.value === p[i]);
  return DATA.minima.map((minimum, k) => [formula && minimum.curvature ? formula(minimum.curvature, p) / optimizer.unit : own ? unpacked(optimizer.limits[k]) : NaN, minimum])
    .filter(([rate]) => rate > 0 && Number.isFinite(rate));
}

// ---- what is drawn

const pictures = {};
let contours = null;
const drawing = new Set();
function draw(...names) {
  if (!drawing.size) requestAnimationFrame(() => { const now = [...drawing]; drawing.clear(); for (const name of now) pictures[name](); mark("drawn"); });
  names.forEach((name) => drawing.add(name));
}

const shown_step = (path) => (state.t === null ? path.last : Math.min(state.t, path.last));

pictures.landscape = () => {
  const plot = plots.landscape, { context } = plot;
  if (D === 1) graph(plot); else {
    plot.begin(...DATA.domain.map(([low, high]) => ({ low, high, log: false })));
    contours ||= contour_picture(LANDSCAPE.objective, DATA.domain, 280);
    const ground = style("--contour-low") + style("--contour-high");
    if (contours.ground !== ground) { contours.image = paint_contours(contours, rgb(style("--contour-low")), rgb(style("--contour-high"))); contours.ground = ground; }
    plot.clip(() => { context.imageSmoothingEnabled = true; context.drawImage(contours.image, plot.left, plot.top, plot.width, plot.height); });
  }
  const where = (path, t) => (D === 1 ? [path.points[t], path.losses[t]] : [path.points[2 * t], path.points[2 * t + 1]]);
  plot.clip(() => {
    for (const minimum of DATA.minima) {
      const [x, y] = D === 1 ? [minimum.point[0], minimum.loss] : minimum.point;
      cross(context, plot.px(x), plot.py(y));
    }
    paths.forEach((path, k) => {
      if (!path) return;
      const last = shown_step(path);
      context.strokeStyle = colour_of(k); context.setLineDash(dashes(k));
      for (const [from, to, alpha, width] of [[last, path.last, 0.22, 1], [0, last, 0.95, 1.6]]) {
        context.globalAlpha = alpha; context.lineWidth = width;
        context.beginPath();
        for (let t = from; t <= to; t++) { const [x, y] = where(path, t); if (!(Math.abs(x) < 1e9 && Math.abs(y) < 1e12)) break; context.lineTo(plot.px(x), plot.py(y)); }
        context.stroke();
      }
      context.globalAlpha = 1; context.setLineDash([]);
      context.fillStyle = colour_of(k);
      for (let t = 0; t <= Math.min(last, 400); t++) { const [x, y] = where(path, t); context.beginPath(); context.arc(plot.px(x), plot.py(y), 2, 0, 7); context.fill(); }
    });
    paths.forEach((path, k) => { if (path) dot(context, ...spot(plot, where(path, shown_step(path))), 5.5, colour_of(k), again(k)); });
    const start = D === 1 ? [state.start[0], LANDSCAPE.objective(state.start[0])] : state.start;
    dot(context, ...spot(plot, start), 7.5, style("--text"));
    context.fillStyle = style("--back"); context.beginPath(); context.arc(...spot(plot, start), 2.6, 0, 7); context.fill();
  });
  plot.axes();
};

const spot = (plot, [x, y]) => [plot.px(x), plot.py(y)];
function cross(context, x, y) {
  context.strokeStyle = style("--text"); context.lineWidth = 1.4;
  line_of(context, x - 4, y, x + 4, y); line_of(context, x, y - 4, x, y + 4);
}

function graph(plot) {
  const [[low, high]] = DATA.domain, n = 400, values = Float64Array.from({ length: n + 1 }, (_, i) => LANDSCAPE.objective(low + (high - low) * i / n));
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort(), bottom = sorted[0], top = sorted[Math.floor(sorted.length * 0.86)];
  plot.begin({ low, high, log: false }, { low: bottom - 0.07 * (top - bottom || 1), high: top + 0.04 * (top - bottom || 1), log: false });
  plot.clip((context) => {
    context.fillStyle = style("--paper"); context.fillRect(plot.left, plot.top, plot.width, plot.height);
    context.beginPath();
    values.forEach((v, i) => context.lineTo(plot.px(low + (high - low) * i / n), plot.py(v)));
    context.strokeStyle = style("--soft"); context.lineWidth = 1.6; context.stroke();
    context.lineTo(plot.px(high), plot.top + plot.height); context.lineTo(plot.px(low), plot.top + plot.height);
    context.fillStyle = style("--shade"); context.fill();
  });
}

pictures.losses = () => {
  // Where no lowest minimum is known the losses themselves are drawn, as they are, since they may be negative.
  const plot = plots.losses, { low: bound, slack } = TASK.limits, known = Number.isFinite(bound), base = known ? bound - slack : 0;
  const shown = paths.filter(Boolean), last = Math.max(2, ...shown.map((p) => p.last)), scale = slack / DATA.tolerance;
  const above = shown.flatMap((p) => [...p.losses].map((v) => v - base)).filter(Number.isFinite), first = shown.map((p) => p.losses[0] - base).filter(Number.isFinite);
  let low = above.reduce((a, b) => Math.min(a, b), Infinity), high = Math.min(above.reduce((a, b) => Math.max(a, b), -Infinity), Math.max(scale * 10 ** 2.5, ...first));
  if (known) {
    const least = above.reduce((a, b) => (b > 0 ? Math.min(a, b) : a), slack);
    low = Math.max(Math.log10(scale) - 12, Math.log10(least)) - 0.5;
    high = Math.log10(Math.max(high, slack)) + 0.5;
  } else if (low <= high) {
    low = Math.max(low, high - 1e3 * scale); // a fall without bound leaves the rest in sight
    [low, high] = [low - 0.05 * (high - low || 1), high + 0.05 * (high - low || 1)];
  } else [low, high] = [0, 1];
  const place = (v) => (known ? Math.log10(Math.max(v - base, 1e-300)) : v), inside = (y) => Math.max(2 * plot.y.low - plot.y.high, Math.min(y, 2 * plot.y.high - plot.y.low));
  plot.labels = ["step", known ? "loss − lowest" : "loss"];
  $("#told").textContent = known ? "Above the lowest known minimum; below the dashed line a loss counts as lowest." : "No lowest minimum is known: the loss as it is.";
  plot.begin({ low: 0, high: Math.log10(last + 1), log: true, shifted: true }, { low, high, log: known });
  plot.clip((context) => {
    context.fillStyle = style("--paper"); context.fillRect(plot.left, plot.top, plot.width, plot.height);
    const reached = plot.py(Math.log10(slack));
    context.strokeStyle = style("--line"); context.setLineDash([3, 4]); if (known) line_of(context, plot.left, reached, plot.left + plot.width, reached);
    paths.forEach((path, k) => {
      if (!path) return;
      const end = shown_step(path), at = (t) => [plot.px(Math.log10(t + 1)), plot.py(inside(place(path.losses[t])))];
      context.strokeStyle = colour_of(k); context.lineWidth = 1.7; context.setLineDash(dashes(k));
      context.beginPath();
      for (let t = 0; t <= path.last; t++) { if (!Number.isFinite(path.losses[t])) break; context.lineTo(...at(t)); }
      context.stroke(); context.setLineDash([]);
      if (Number.isFinite(path.losses[end])) dot(context, ...at(end), 4.5, colour_of(k), again(k));
    });
  });
  plot.axes();
};

pictures.map = () => {
  const plot = plots.map, [x, y] = axes();
  plot.begin(x, y);
  plot.labels = [x.label, y.label];
  plot.clip((context) => {
    context.fillStyle = style("--paper"); context.fillRect(plot.left, plot.top, plot.width, plot.height);
    if (cells) {
      if (cells.dirty || cells.by !== state.by) { cells.paint(state.by); cells.dirty = false; cells.by = state.by; legend(); }
      const [a, b] = cells.axes; // where the cells lie in this view: another while it is zoomed
      context.imageSmoothingEnabled = false;
      const half = [(a.high - a.low) / (SIZE - 1) / 2, (b.high - b.low) / (SIZE - 1) / 2];
      const left = plot.px(a.low - half[0]), right = plot.px(a.high + half[0]), top = plot.py(b.high + half[1]), bottom = plot.py(b.low - half[1]);
      if (a.of === x.of && b.of === y.of) context.drawImage(cells.canvas, left, top, right - left, bottom - top);
    }
    if (x.of === "rate") limit_lines(plot);
    const at = [x, y].map((axis) => (axis.of === "rate" ? Math.log10(state.eta) : typeof axis.of === "number" ? state.start[axis.of] : place_of(axis, state.p[state.of][state.knob])));
    context.strokeStyle = "#000"; context.lineWidth = 3; ring(context, ...spot(plot, at));
    context.strokeStyle = "#fff"; context.lineWidth = 1.5; ring(context, ...spot(plot, at));
  });
  plot.axes();
};

const place_of = (axis, value) => (axis.log ? Math.log10(value) : axis.near1 ? -Math.log10(1 - value) : value);
function ring(context, x, y) { context.beginPath(); context.arc(x, y, 6, 0, 7); context.stroke(); }

function limit_lines(plot) {
  const { context } = plot;
  context.font = `11px ${style("--sans")}`; context.textAlign = "left"; context.textBaseline = "top";
  const apart = new Map(); // minima of one curvature have one limit
  for (const [rate, minimum] of lines()) {
    const at = Math.round(plot.px(Math.log10(rate)));
    if (at >= plot.left && at <= plot.left + plot.width) apart.set(at, [...(apart.get(at) || []), minimum]);
  }
  const few = [...apart].slice(0, 5);
  for (const [at] of few) {
    context.lineWidth = 3.5; context.strokeStyle = style("--veil"); line_of(context, at, plot.top, at, plot.top + plot.height);
    context.setLineDash([6, 4]); context.lineWidth = 1.5; context.strokeStyle = style("--text"); line_of(context, at, plot.top, at, plot.top + plot.height);
    context.setLineDash([]);
  }
  const taken = few.map(([at]) => [at - 1, at + 1, -1, few.length]); // boxes of lines and labels: left, right, first and last row
  few.forEach(([at, minima], k) => {
    const label = `limit${DATA.minima.length > 1 ? ` at (${minima[0].point.map((v) => short(Number(v.toPrecision(3)))).join(", ")})${minima.length > 1 ? " …" : ""}` : ""}`;
    const width = context.measureText(label).width, places = [];
    for (let row = 0; row <= few.length; row++) for (const left of [at + 6, at - width - 7]) if (left > plot.left + 3 && left + width + 3 < plot.left + plot.width) places.push([left, row]);
    // The first place that covers no line and no label; failing that, one that covers no label.
    const free = ([left, row], boxes) => boxes.every(([a, b, first, last]) => left - 4 > b || left + width + 4 < a || row < first || row > last);
    const [left, row] = places.find((place) => free(place, taken)) || places.find((place) => free(place, taken.slice(few.length))) || [at + 6, k];
    taken.push([left - 3, left + width + 3, row, row]);
    const y = plot.top + 5 + 17 * row;
    context.fillStyle = style("--veil"); context.fillRect(left - 3, y - 2, width + 6, 15);
    context.fillStyle = style("--text"); context.fillText(label, left, y);
  });
}

pictures.bifurcation = () => {
  const plot = plots.bifurcation, [low, high] = DATA.domain[0];
  plot.begin(dots.x || full_axes().find((axis) => axis.of === "rate") || { low: Math.log10(DATA.rates[0]), high: Math.log10(DATA.rates[1]), log: true }, { low, high, log: false });
  plot.clip((context) => {
    context.fillStyle = style("--paper"); context.fillRect(plot.left, plot.top, plot.width, plot.height);
    context.fillStyle = style("--text"); context.globalAlpha = 0.5;
    for (const found of dots) for (let k = 0; k < found.length; k += 2) context.fillRect(plot.px(plot.x.low + (plot.x.high - plot.x.low) * found[k] / 319) - 0.6, plot.py(found[k + 1]) - 0.6, 1.3, 1.3);
    context.globalAlpha = 1;
    const at = plot.px(Math.log10(state.eta));
    context.strokeStyle = style("--mark"); context.lineWidth = 1.5; line_of(context, at, plot.top, at, plot.top + plot.height);
    limit_lines(plot);
  });
  plot.axes();
};
