// Drawing on canvases: axes, curves, contours, maps. Colours come from the page's style, so that light and dark agree.
"use strict";

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const short = (value) => {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size && (size < 1e-3 || size >= 1e5) ? Number(value.toPrecision(3)).toExponential().replace("e+", "e") : String(Number(value.toPrecision(4)));
};

// A canvas with axes: { low, high, log } in places (logarithms where an axis is logarithmic).
class Plot {
  constructor(canvas, labels) {
    Object.assign(this, { canvas, labels, x: { low: 0, high: 1, log: false }, y: { low: 0, high: 1, log: false } });
    this.context = canvas.getContext("2d");
  }
  begin(x, y) {
    const { canvas, context } = this, box = canvas.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
    const width = Math.round(box.width * ratio), height = Math.round(box.height * ratio);
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = `11.5px ${style("--sans")}`;
    const top = 24, right = 10, bottom = 34, tall = Math.max(20, box.height - top - bottom);
    const widest = Math.max(0, ...ticks(y, Math.max(4, tall / 40)).map(([, label]) => context.measureText(label).width)); // long where a map is zoomed deep
    const left = Math.min(Math.max(40, widest + 10), box.width / 2);
    Object.assign(this, { x, y, left, top, width: Math.max(20, box.width - left - right), height: tall });
    context.clearRect(0, 0, box.width, box.height);
    context.lineWidth = 1;
    context.lineJoin = "round";
  }
  px(place) { return this.left + (place - this.x.low) / (this.x.high - this.x.low) * this.width; }
  py(place) { return this.top + (this.y.high - place) / (this.y.high - this.y.low) * this.height; }
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const share = [(event.clientX - box.left - this.left) / this.width, 1 - (event.clientY - box.top - this.top) / this.height];
    return [this.x.low + share[0] * (this.x.high - this.x.low), this.y.low + share[1] * (this.y.high - this.y.low)];
  }
  clip(draw) {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(this.left, this.top, this.width, this.height);
    context.clip();
    draw(context);
    context.restore();
  }
  axes() {
    const { context, labels } = this;
    context.font = `11.5px ${style("--sans")}`;
    context.fillStyle = style("--soft");
    context.strokeStyle = style("--line");
    context.textAlign = "center";
    context.textBaseline = "top";
    let written = -Infinity; // where the last label ends
    for (const [place, label] of ticks(this.x, Math.max(4, this.width / 70))) {
      const at = Math.round(this.px(place)) + 0.5, half = context.measureText(label).width / 2, middle = Math.min(at, this.left + this.width + 8 - half);
      line_of(context, at, this.top + this.height, at, this.top + this.height + 4);
      if (middle - half < written + 6) continue;
      context.fillText(label, middle, this.top + this.height + 6);
      written = middle + half;
    }
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const [place, label] of ticks(this.y, Math.max(4, this.height / 40))) {
      const at = Math.round(this.py(place)) + 0.5;
      line_of(context, this.left - 4, at, this.left, at);
      context.fillText(label, this.left - 6, at);
    }
    context.strokeRect(this.left + 0.5, this.top + 0.5, this.width - 1, this.height - 1);
    context.fillStyle = style("--text");
    context.textAlign = "right";
    context.textBaseline = "bottom";
    context.fillText(labels[0], this.left + this.width, this.top + this.height + 33);
    context.textAlign = "left";
    context.fillText(labels[1], 4, this.top - 8);
  }
}

function line_of(context, x0, y0, x1, y1) {
  context.beginPath(); context.moveTo(x0, y0); context.lineTo(x1, y1); context.stroke();
}

// Places of an axis with labels, about so many.
function ticks(axis, wanted) {
  const { low, high, log, near1 } = axis, span = high - low, found = [];
  if (log && span < 2.2 && span > 1e-9) return values_of(10 ** low, 10 ** high, span > 0.7, Math.max(1, wanted)).map(([value, label]) => [Math.log10(value), label]);
  let step = 10 ** Math.floor(Math.log10(span / Math.max(1, wanted)));
  for (const factor of log ? [1, 2, 3, 5, 10] : [1, 2, 5, 10]) if (span / (step * factor) <= Math.max(1, wanted)) { step *= factor; break; }
  if ((log || near1) && span > 2) step = Math.max(1, Math.round(step));
  const value = (place) => (log ? 10 ** place : near1 ? 1 - 10 ** -place : place);
  const digits = Math.max(0, Math.ceil(-Math.log10(span)) + 2);
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * span && found.length < 40; k++) {
    const place = k * step, deep = span < 1e-2;
    let label = short(value(Math.abs(place) < step * 1e-9 ? 0 : place));
    if (deep) label = Number(value(place).toPrecision(Math.min(16, digits + 2))).toString();
    else if (near1 && place > 3) label = `1 − 1e-${Number(place.toPrecision(4))}`;
    else if (log && step >= 1 && Math.abs(place) > 3) label = `1e${Math.round(place)}`;
    found.push([place, label]);
  }
  return found;
}

// Round numbers between two, with labels: 1, 2, 5, 10, 20 … where they are far apart.
function values_of(low, high, apart, wanted) {
  const found = [];
  if (apart) {
    for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
      for (const factor of wanted > 4 ? [1, 2, 5] : [1, 3]) { const value = Number((power * factor).toPrecision(3)); if (value >= low && value <= high) found.push([value, short(value)]); }
    }
    return found;
  }
  const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough)), step = power * ([1, 2, 5].find((factor) => power * factor >= rough) ?? 10);
  const digits = Math.min(16, Math.max(1, Math.ceil(Math.log10(high / step)) + 1));
  for (let k = Math.ceil(low / step); k * step <= high && found.length < 30; k++) { const value = Number((k * step).toPrecision(digits)); found.push([value, digits > 5 ? String(value) : short(value)]); }
  return found;
}

// Colours of a landscape by its rank among the values of the picture: dark is low.
function contour_picture(objective, domain, size) {
  const [[x0, x1], [y0, y1]] = domain, values = new Float64Array(size * size);
  for (let j = 0; j < size; j++) for (let i = 0; i < size; i++) {
    values[j * size + i] = objective(x0 + (x1 - x0) * (i + 0.5) / size, y1 - (y1 - y0) * (j + 0.5) / size);
  }
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort(), levels = [];
  const count = 20;
  for (let k = 1; k < count; k++) levels.push(sorted[Math.floor(sorted.length * (k / count) ** 1.5)]);
  return { values, levels, size, lowest: sorted[0] };
}

function paint_contours(picture, low, high) {
  const { values, levels, size } = picture, canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d"), image = context.createImageData(size, size);
  const band = Uint8Array.from(values, (v) => { let k = 0; while (k < levels.length && !(v <= levels[k])) k++; return k; });
  for (let at = 0; at < values.length; at++) {
    const share = band[at] / levels.length;
    const edge = (at % size && band[at] !== band[at - 1]) || (at >= size && band[at] !== band[at - size]);
    for (let c = 0; c < 3; c++) image.data[4 * at + c] = (low[c] + (high[c] - low[c]) * share) * (edge ? (high[0] > 128 ? 0.86 : 1.35) : 1);
    image.data[4 * at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

const rgb = (text) => { const n = parseInt(text.slice(1), 16); return [n >> 16, (n >> 8) & 255, n & 255]; };

// A map: colours of its cells, in an image that is scaled without smoothing.
class Cells {
  constructor(n) {
    this.n = n;
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.canvas.height = n;
    this.context = this.canvas.getContext("2d");
    this.outcome = new Int16Array(n * n).fill(-1);
    this.basin = new Int16Array(n * n);
    this.steps = new Int32Array(n * n);
    this.fine = new Uint8Array(n * n).fill(255); // of which stride what stands there is: pieces come in any order
    this.stride = 0;
  }
  // Numbers of cells_of, put in; each stands for its block until finer ones come.
  put(found, stride, rows, first) {
    const { n } = this;
    let at = 0;
    for (const j of rows) for (let i = 0; i < n; i += stride) {
      if (!first && i % (2 * stride) === 0 && j % (2 * stride) === 0) continue;
      for (let b = j; b < Math.min(n, j + stride); b++) for (let a = i; a < Math.min(n, i + stride); a++) {
        const cell = b * n + a;
        if (this.fine[cell] < stride) continue;
        this.fine[cell] = stride;
        this.outcome[cell] = found[at]; this.basin[cell] = found[at + 1]; this.steps[cell] = found[at + 2];
      }
      at += 3;
    }
  }
  paint(by) {
    const { n } = this, image = this.context.createImageData(n, n), ink = DATA.colours.map(rgb), wells = DATA.basin_colours.map(rgb);
    const paper = rgb(style("--paper"));
    let least = Infinity, most = 1; // steps of what did not diverge
    for (let c = 0; c < n * n; c++) if (this.outcome[c] >= 0 && this.outcome[c] !== HAS_DIVERGED) { least = Math.min(least, this.steps[c]); most = Math.max(most, this.steps[c]); }
    this.range = [Math.min(least, most), most];
    for (let j = 0; j < n; j++) for (let i = 0; i < n; i++) {
      const cell = j * n + i, at = 4 * ((n - 1 - j) * n + i), outcome = this.outcome[cell];
      let colour = outcome < 0 ? paper : ink[outcome];
      if (by === "minimum" && outcome >= 0 && this.basin[cell] >= 0) colour = wells[this.basin[cell] % wells.length];
      else if (by === "minimum" && outcome >= 0) colour = outcome === HAS_DIVERGED ? ink[outcome] : [200, 200, 200];
      if (by === "steps" && outcome >= 0) {
        const share = (Math.log1p(this.steps[cell]) - Math.log1p(this.range[0])) / (Math.log1p(most) - Math.log1p(this.range[0]) || 1);
        colour = outcome === HAS_DIVERGED ? ink[outcome] : viridis(1 - share);
      }
      image.data[at] = colour[0]; image.data[at + 1] = colour[1]; image.data[at + 2] = colour[2]; image.data[at + 3] = 255;
    }
    this.context.putImageData(image, 0, 0);
  }
}

const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
function viridis(share) {
  const at = Math.min(3, Math.floor(share * 4)), rest = share * 4 - at;
  return VIRIDIS[at].map((c, k) => c + (VIRIDIS[at + 1][k] - c) * rest);
}

// A disc, or a square, with a rim that stands out on any ground.
function dot(context, x, y, radius, colour, square = false) {
  context.beginPath();
  if (square) context.rect(x - radius, y - radius, 2 * radius, 2 * radius); else context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = colour; context.fill();
  context.lineWidth = 1.5; context.strokeStyle = style("--back"); context.stroke();
}
