"use strict";
// Sorting of tables; reading and zooming of maps and curves. Maps are decoded when first pointed at.

document.querySelectorAll("table.sortable").forEach(table => {
  table.querySelectorAll("thead th").forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("thead th").forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const body = table.tBodies[0], sign = descending ? -1 : 1;
      const key = row => row.cells[column].dataset.key ?? row.cells[column].textContent;
      const numeric = head.classList.contains("n");
      const rows = [...body.rows].sort((a, b) => {
        const [u, v] = [key(a), key(b)];
        if (numeric && (u === "" || v === "")) return (u === "") - (v === "");  // what has no number stays last
        return sign * (numeric ? u - v : u.localeCompare(v));
      });
      body.append(...rows);
    });
  });
});

// The list of contents follows: what is being read is the last that has begun above the middle of the window.
const entries = [...document.querySelectorAll(".contents a")].map(link => [link, document.getElementById(link.hash.slice(1))]).filter(([, at]) => at);
let following = 0;
const follow = () => {
  following = 0;
  const begun = entries.filter(([, at]) => at.getBoundingClientRect().top < innerHeight / 3);
  for (const [link] of entries) link.removeAttribute("aria-current");
  const [link] = begun.at(-1) ?? entries[0] ?? [];
  if (!link) return;
  link.setAttribute("aria-current", "location");
  const list = link.closest("nav"), box = link.getBoundingClientRect(), around = list.getBoundingClientRect();
  if (list.scrollHeight > list.clientHeight + 1 && (box.top < around.top + 20 || box.bottom > around.bottom - 20)) list.scrollTop += box.top - around.top - around.height / 2;
};
if (entries.length) {
  addEventListener("scroll", () => { following ||= requestAnimationFrame(follow); }, {passive: true});
  follow();
}
addEventListener("beforeprint", () => document.querySelectorAll("details.fold").forEach(fold => { fold.open = true; }));

const text = value => {
  const size = Math.abs(value);
  return size && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
};

class Axis {
  constructor(plain) {
    Object.assign(this, plain);
    this.count = this.even ? this.places[2] : this.places.length;
  }
  place(i) {
    if (!this.even) return this.places[Math.min(this.count - 1, Math.max(0, Math.floor(i)))];
    const [first, last, n] = this.places;
    return n > 1 ? first + (last - first) * i / (n - 1) : first;
  }
  index(place) { const [first, last, n] = this.places; return (place - first) / (last - first) * (n - 1); }
  cell(share) {  // at a share of the drawn axis
    if (!this.edges) return Math.floor(share * this.count);
    return Math.max(0, this.edges.findLastIndex(edge => edge <= share));
  }
  middle(i) {  // of a cell, as a share of the drawn axis
    return this.edges ? (this.edges[i] + this.edges[i + 1]) / 2 : (i + 0.5) / this.count;
  }
  value(place) { return this.log ? 10 ** place : place; }
  at(i) { return text(this.value(this.place(i))); }
  ticks(low, high) {  // of cells, as pairs of cell and label
    if (!this.even || this.count < 2) return [0.1, 0.5, 0.9].map(s => Math.round(low + s * (high - low - 1))).map(i => [i, this.at(i)]);
    const from = this.place(low - 0.5), to = this.place(high - 0.5), span = to - from;
    let step = 10 ** Math.floor(Math.log10(span / 4));
    step *= span / step > 20 ? 5 : span / step > 8 ? 2 : 1;
    if (this.log && span > 1.5) step = Math.max(1, Math.round(step));
    const found = [];
    for (let k = Math.ceil(from / step); k * step <= to; k++) found.push([this.index(k * step), text(this.value(k * step))]);
    return found;
  }
}

class Cells {
  constructor(plain) {
    Object.assign(this, plain);
    this.x = new Axis(plain.x);
    this.y = new Axis(plain.y);
  }
  async decode() {
    const packed = Uint8Array.from(atob(this.cells), c => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    const n = this.x.count * this.y.count;
    this.codes = bytes.subarray(0, n);
    this.counts = new Uint16Array(n);
    for (let i = 0; i < n; i++) this.counts[i] = bytes[n + 2 * i] + 256 * bytes[n + 2 * i + 1];
    if (this.scale) this.numbers = new Float32Array(bytes.slice(3 * n).buffer);
    return this;
  }
  say(i, j) {
    const at = j * this.x.count + i, short = label => label.replace("learning rate η", "η");
    const where = `${short(this.x.label)} = ${this.x.at(i)}, ${short(this.y.label)} = ${this.y.at(j)}`;
    const number = this.scale && Number.isFinite(this.numbers[at]) ? `${this.scale.label} ${text(this.numbers[at])}` : "";
    if (this.scale) return `${this.title}: ${where}: ${number || this.names[this.codes[at]]}`;
    const took = this.steps ? `, ${this.counts[at].toLocaleString("en")} steps` : "";
    const many = this.trajectories > 1 ? ` (most of ${this.trajectories} trajectories)` : "";
    return `${this.title}: ${where}: ${this.names[this.codes[at]]}${took}${many}`;
  }
  image(bySteps) {
    const {count: width} = this.x, {count: height} = this.y;
    const canvas = new OffscreenCanvas(width, height), context = canvas.getContext("2d");
    const image = context.createImageData(width, height), most = Math.log(Math.max(2, ...this.counts));
    const palette = this.colours.map(c => [1, 3, 5].map(k => parseInt(c.slice(k, k + 2), 16)));
    for (let j = 0; j < height; j++) for (let i = 0; i < width; i++) {
      const from = j * width + i, to = 4 * ((height - 1 - j) * width + i);
      const colour = this.scale && Number.isFinite(this.numbers[from]) ? viridis(1 - this.share(this.numbers[from])) : bySteps ? viridis(1 - Math.log(Math.max(1, this.counts[from])) / most) : palette[this.codes[from]];
      image.data.set([...colour, 255], to);
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }
  share(number) {  // of the scale of colours
    const {low, high, logarithmic} = this.scale, log = x => logarithmic ? Math.log(Math.max(x, low)) : x;
    return (log(number) - log(low)) / (log(high) - log(low));
  }
  get legend() {
    const here = new Set(this.codes);
    return this.scale ? [] : this.names.flatMap((name, code) => here.has(code) ? [[name, this.colours[code]]] : []);
  }
  paint(context, picture, [x0, x1, y0, y1], [left, top, width, height]) {
    context.drawImage(picture, x0, this.y.count - y1, x1 - x0, y1 - y0, left, top, width, height);
  }
}

class Lines {  // read like cells, of which the nearest point of a line is the one at the pointer
  constructor(plain) {
    Object.assign(this, plain);
    this.x = new Axis(plain.x);
    this.y = new Axis(plain.y);
    this.points = this.lines.flatMap((line, k) => line.places.map(([i, j], n) => ({i, j, k, n})));
    this.finer = true;
  }
  async decode() { return this; }
  nearest(i, j) {
    const away = point => (point.i - i) ** 2 + (point.j - j) ** 2;
    return this.points.reduce((best, point) => away(point) < away(best) ? point : best);
  }
  beside(i, j, right, up) {  // the next point of the line, or the same of the next line
    const {k, n} = this.nearest(i, j), line = this.lines[(k + up + this.lines.length) % this.lines.length];
    return line.places[clamp(n + right, 0, line.places.length - 1)];
  }
  snap(i, j) { const point = this.nearest(i, j); return [point.i, point.j]; }
  say(i, j) {
    const {k, n} = this.nearest(i, j), [x, y] = this.lines[k].values[n];
    return `${this.lines[k].label}: ${this.x.label || "x"} = ${text(x)}, ${this.y.label || "y"} = ${text(y)}`;
  }
  image() { return null; }
  get legend() { return this.lines.map(line => [line.label, line.colour]); }
  paint(context, picture, [x0, x1, y0, y1], [left, top, width, height]) {
    context.save();
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    context.lineWidth = 2;
    for (const line of this.lines) {
      context.strokeStyle = line.colour;
      context.beginPath();
      for (const [i, j] of line.places)
        context.lineTo(left + width * (i + 0.5 - x0) / (x1 - x0), top + height * (1 - (j + 0.5 - y0) / (y1 - y0)));
      context.stroke();
    }
    context.restore();
  }
}

const STOPS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
const viridis = share => {
  const place = Math.min(0.9999, Math.max(0, share)) * 4, k = Math.floor(place);
  return STOPS[k].map((low, c) => Math.round(low + (place - k) * (STOPS[k + 1][c] - low)));
};

const decoded = new Map();
const cellsOf = id => {
  if (!decoded.has(id)) {
    const plain = JSON.parse(document.getElementById(id).textContent);
    decoded.set(id, (plain.lines ? new Lines(plain) : new Cells(plain)).decode());
  }
  return decoded.get(id);
};
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};

document.querySelectorAll(".spot").forEach(spot => {
  const readout = document.getElementById(spot.getAttribute("aria-describedby")), dot = spot.querySelector("i");
  let cell = null;
  const show = (cells, i, j, mark) => {
    cell = cells.finer ? cells.snap(i, j) : [clamp(i, 0, cells.x.count - 1), clamp(j, 0, cells.y.count - 1)];
    readout.textContent = cells.say(...cell);
    dot.style.display = mark || cells.finer ? "block" : "none";
    dot.style.left = `${100 * (cells.finer ? (cell[0] + 0.5) / cells.x.count : cells.x.middle(cell[0]))}%`;
    dot.style.top = `${100 * (1 - (cells.finer ? (cell[1] + 0.5) / cells.y.count : cells.y.middle(cell[1])))}%`;
  };
  spot.addEventListener("pointermove", async event => {
    const box = spot.getBoundingClientRect(), cells = await cellsOf(spot.dataset.map);
    const right = (event.clientX - box.left) / box.width, up = (box.bottom - event.clientY) / box.height;
    const at = (axis, share) => cells.finer ? share * axis.count : axis.cell(share);
    show(cells, at(cells.x, right), at(cells.y, up), false);
  });
  spot.addEventListener("keydown", async event => {
    if (!ARROWS[event.key]) return;
    event.preventDefault();
    const cells = await cellsOf(spot.dataset.map), jump = event.shiftKey ? 10 : 1;
    const [i, j] = cell ?? [cells.x.count >> 1, cells.y.count >> 1], [right, up] = ARROWS[event.key];
    show(cells, ...(cells.finer ? cells.beside(i, j, right * jump, up) : [i + right * jump, j + up * jump]), true);
  });
  spot.addEventListener("blur", () => { dot.style.display = "none"; });
  spot.addEventListener("click", async () => zoom.open(await cellsOf(spot.dataset.map), cell));
});

const zoom = {
  dialog: document.getElementById("zoom"),
  open(cells, cell) {
    this.cells = cells;
    this.bySteps = false;
    this.picture = cells.image(false);
    this.cell = cell ?? [cells.x.count >> 1, cells.y.count >> 1];
    if (cells.finer) this.cell = cells.snap(...this.cell);
    this.view = [0, cells.x.count, 0, cells.y.count];
    this.dialog.querySelector("h3").textContent = cells.title;
    this.dialog.querySelector(".legend").hidden = false;
    this.dialog.querySelector(".legend").replaceChildren(...cells.legend.map(([name, colour]) => {
      const item = document.createElement("span"), swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.style.background = colour;
      item.append(swatch, name);
      return item;
    }));
    this.dialog.querySelector("[data-do=steps]").hidden = !cells.steps || Boolean(cells.scale);
    this.dialog.showModal();
    this.canvas.focus();
    this.draw();
  },
  get canvas() { return this.dialog.querySelector("canvas"); },
  get frame() {  // where the map lies on the canvas: left, top, width, height
    const {clientWidth: width, clientHeight: height} = this.canvas;
    return [64, 8, width - 76, height - 48];
  },
  draw() {
    const ratio = devicePixelRatio || 1, canvas = this.canvas, [left, top, width, height] = this.frame;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const context = canvas.getContext("2d"), [x0, x1, y0, y1] = this.view;
    context.scale(ratio, ratio);
    context.imageSmoothingEnabled = false;
    this.cells.paint(context, this.picture, this.view, this.frame);
    const ink = getComputedStyle(this.dialog).color;
    context.fillStyle = context.strokeStyle = ink;
    context.font = "12px system-ui, sans-serif";
    context.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const [i, label] of this.cells.x.ticks(x0, x1)) context.fillText(label, left + width * (i + 0.5 - x0) / (x1 - x0), top + height + 5);
    context.fillText(this.cells.x.label, left + width / 2, top + height + 22);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const [j, label] of this.cells.y.ticks(y0, y1)) context.fillText(label, left - 5, top + height * (1 - (j + 0.5 - y0) / (y1 - y0)));
    context.save();
    context.translate(10, top + height / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(this.cells.y.label, 0, 0);
    context.restore();
    const [i, j] = this.cell, x = left + width * (i + 0.5 - x0) / (x1 - x0), y = top + height * (1 - (j + 0.5 - y0) / (y1 - y0));
    if (i >= x0 && i < x1 && j >= y0 && j < y1) for (const [colour, radius] of [["#fff", 7], ["#000", 5.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      context.stroke();
    }
    this.dialog.querySelector("output").textContent = this.cells.say(i, j);
  },
  at(event) {  // the cell under the pointer, with its fraction
    const box = this.canvas.getBoundingClientRect(), [left, top, width, height] = this.frame, [x0, x1, y0, y1] = this.view;
    return [x0 + (event.clientX - box.left - left) / width * (x1 - x0), y1 - (event.clientY - box.top - top) / height * (y1 - y0)];
  },
  scale(factor, [i, j]) {
    const limit = [this.cells.x.count, this.cells.y.count];
    this.view = [[i, 0], [j, 1]].flatMap(([centre, k]) => {
      const [low, high] = this.view.slice(2 * k, 2 * k + 2);
      const size = clamp((high - low) * factor, Math.min(4, limit[k]), limit[k]);
      const first = clamp(centre - (centre - low) * size / (high - low), 0, limit[k] - size);
      return [first, first + size];
    });
    this.draw();
  },
  move(cell) {
    this.cell = this.cells.finer ? this.cells.snap(...cell)
      : [clamp(Math.floor(cell[0]), 0, this.cells.x.count - 1), clamp(Math.floor(cell[1]), 0, this.cells.y.count - 1)];
    const limit = [this.cells.x.count, this.cells.y.count];
    this.view = this.cell.flatMap((c, k) => {  // follow the cell
      const [low, high] = this.view.slice(2 * k, 2 * k + 2), size = high - low;
      const first = clamp(c < low ? c : c + 1 > high ? c + 1 - size : low, 0, limit[k] - size);
      return [first, first + size];
    });
    this.draw();
  },
  pan(event) {
    const [, , width, height] = this.frame, limit = [this.cells.x.count, this.cells.y.count];
    const shift = [-event.movementX / width, event.movementY / height];
    this.view = shift.flatMap((share, k) => {
      const [low, high] = this.view.slice(2 * k, 2 * k + 2), size = high - low;
      const first = clamp(low + share * size, 0, limit[k] - size);
      return [first, first + size];
    });
    this.draw();
  },
  act(what) {
    const centre = this.cell.map(c => c + 0.5);
    if (what === "in") this.scale(1 / 1.6, centre);
    if (what === "out") this.scale(1.6, centre);
    if (what === "all") this.scale(1e9, centre);
    if (what === "close") this.dialog.close();
    if (what === "steps" && this.cells.steps && !this.cells.scale) {
      this.bySteps = !this.bySteps;
      this.picture = this.cells.image(this.bySteps);
      this.dialog.querySelector(".legend").hidden = this.bySteps;
      this.draw();
    }
  },
};
zoom.dialog.querySelectorAll("[data-do]").forEach(button => button.addEventListener("click", () => zoom.act(button.dataset.do)));
zoom.canvas.addEventListener("pointermove", event => {
  if (event.buttons) zoom.pan(event); else zoom.move(zoom.at(event));
});
zoom.canvas.addEventListener("wheel", event => {
  event.preventDefault();
  zoom.scale(event.deltaY < 0 ? 1 / 1.25 : 1.25, zoom.at(event));
}, {passive: false});
zoom.canvas.addEventListener("dblclick", event => zoom.scale(1 / 1.6, zoom.at(event)));
zoom.canvas.addEventListener("keydown", event => {
  const what = {"+": "in", "=": "in", "-": "out", "0": "all", "s": "steps"}[event.key];
  if (what) zoom.act(what);
  if (!ARROWS[event.key]) return;
  event.preventDefault();
  const jump = event.shiftKey ? 10 : 1, [right, up] = ARROWS[event.key];
  zoom.move(zoom.cells.finer ? zoom.cells.beside(...zoom.cell, right * jump, up) : [zoom.cell[0] + right * jump, zoom.cell[1] + up * jump]);
});
addEventListener("resize", () => { if (zoom.dialog.open) zoom.draw(); });
