// What a page shows, computed: step tables for moved hyperparameters, paths, cells of maps, and bifurcation diagrams.
// Runs in the page and in its workers, which get this text too.
"use strict";

const TASK = unpacked(DATA.task);
TASK.limits.representative = REPRESENTATIVE;
const OPTIMIZERS = DATA.optimizers.map((plain, k) => ({ ...plain, ...unpacked({ first: plain.first, columns: plain.columns }), pair: { ...LANDSCAPE, ...PAIRS[k] } }));

// The whole step table as it is when the page is made.
function own_table(optimizer) {
  const { width, first, moving, columns } = optimizer, rows = TASK.budget + 1;
  if (!optimizer.own) {
    optimizer.own = new Float64Array(rows * width);
    for (let k = 0; k < rows; k++) {
      optimizer.own.set(first, k * width);
      moving.forEach((j, at) => { optimizer.own[k * width + j] = columns[at * rows + k]; });
    }
  }
  return optimizer.own;
}

// The step table for hyperparameters p; with those of the page the table is NumPy's, to the bit.
function table_for(optimizer, p) {
  const own = own_table(optimizer);
  if (optimizer.knobs.every((knob, i) => knob.value === p[i])) return own;
  const table = new Float64Array(own.length);
  optimizer.pair.fill(table, p, own, TASK.budget, optimizer.width);
  return table;
}

function runner_for(optimizer, p) { return new Runner(optimizer.pair, { ...TASK, table: table_for(optimizer, p) }); }

// All points of one trajectory, up to where it settled, and what became of it.
function path_of(optimizer, p, rate, start, number = 0) {
  const runner = runner_for(optimizer, p), { pair, lane, task } = runner, { d, budget } = task;
  const end = { ...runner.run(start[0], start[1], rate * optimizer.unit, number) };
  end.theta = [...end.theta];
  const last = Math.min(end.steps, budget), points = new Float64Array((last + 1) * d), losses = new Float64Array(last + 1);
  runner.begin(start[0], start[1]);
  for (let t = 0; t <= last; t++) {
    for (let i = 0; i < d; i++) points[t * d + i] = lane[i];
    losses[t] = runner.objective();
    if (t < last) pair.advance(lane, rate * optimizer.unit, number, task.table, t, t + 1, -1, Infinity);
  }
  return { ...end, points, losses, last };
}

// A value on an axis { low, high, log }, at cell i of n.
function value_at(axis, i, n) {
  const place = n > 1 ? axis.low + (axis.high - axis.low) * (i / (n - 1)) : axis.low;
  return axis.log ? 10 ** place : axis.near1 ? 1 - 10 ** -place : place;
}

// The value that a hyperparameter takes for one that is asked for.
function accepted(knob, value) {
  if (knob.whole) value = Math.round(value);
  if (!(value >= knob.least)) return knob.least;
  if (knob.open && value >= knob.most) return knob.most * (1 - 2 ** -53);
  return Math.min(value, knob.most);
}

// Rows of a map, every `stride`-th cell of them that was not computed with twice the stride: arrays of outcome, basin and
// steps, for those cells in their order. plan: { of, p, rate, start, x, y, n }; an axis is what it moves: "rate", a
// number of a coordinate, or "p3", a hyperparameter.
function cells_of(plan, stride, rows, first) {
  const optimizer = OPTIMIZERS[plan.of], { n, x, y } = plan, moves = typeof y.of === "string" && y.of[0] === "p";
  const found = [];
  let runner = moves ? null : runner_for(optimizer, plan.p);
  const at = { rate: plan.rate, start: [...plan.start] };
  const move = (axis, i) => {
    const value = value_at(axis, i, n);
    if (axis.of === "rate") at.rate = value; else if (typeof axis.of === "number") at.start[axis.of] = value;
    return value;
  };
  for (const j of rows) {
    const value = move(y, j);
    if (moves) runner = runner_for(optimizer, plan.p.map((old, k) => (k === Number(y.of.slice(1)) ? accepted(optimizer.knobs[k], value) : old)));
    for (let i = 0; i < n; i += stride) {
      if (!first && i % (2 * stride) === 0 && j % (2 * stride) === 0) continue;
      move(x, i);
      const end = runner.run(at.start[0], at.start[1], at.rate * optimizer.unit, moves ? i : i * n + j); // its number is that in a sweep
      found.push(end.outcome, end.basin, end.steps);
    }
  }
  return Int32Array.from(found);
}

// The last points of trajectories over rates: pairs of column and coordinate.
function columns_of(plan, from, to) {
  const optimizer = OPTIMIZERS[plan.of], runner = runner_for(optimizer, plan.p), { pair, lane, task } = runner, found = [];
  const settle = Math.max(0, task.budget - plan.last);
  for (let i = from; i < to; i++) {
    const rate = value_at(plan.x, i, plan.n) * optimizer.unit;
    runner.begin(plan.start[0], plan.start[1]);
    let code = pair.advance(lane, rate, i, task.table, 0, settle, -1, task.divergence);
    for (let t = settle; t < task.budget && code < 0; t++) {
      code = pair.advance(lane, rate, i, task.table, t, t + 1, -1, task.divergence);
      if (code < 0) found.push(i, lane[plan.along]);
    }
  }
  return Float64Array.from(found);
}

// In a worker: each message is one piece of work, answered with its numbers.
if (typeof document === "undefined" && typeof onmessage !== "undefined") {
  onmessage = ({ data }) => {
    const began = performance.now();
    const found = data.kind === "cells" ? cells_of(data.plan, data.stride, data.rows, data.first) : columns_of(data.plan, data.from, data.to);
    postMessage({ ticket: data.ticket, found, took: performance.now() - began }, [found.buffer]);
  };
}

// Workers that take pieces of work one after the other; what was asked for before is dropped when something new is.
class Crew {
  constructor(text, size) {
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    this.waiting = { cells: [], columns: [] };
    this.tickets = new Map();
    this.count = 0;
    this.workers = Array.from({ length: size }, () => {
      const worker = new Worker(url);
      worker.onmessage = ({ data }) => {
        const told = this.tickets.get(data.ticket);
        this.tickets.delete(data.ticket);
        worker.idle = true;
        this.next();
        if (told) told(data.found);
      };
      worker.idle = true;
      return worker;
    });
  }
  // pieces: messages with what is to be done with their numbers, in order; they replace those of their kind.
  ask(kind, pieces) {
    this.waiting[kind] = [...pieces];
    this.next();
  }
  next() {
    for (const worker of this.workers) {
      const queue = this.waiting.cells.length ? this.waiting.cells : this.waiting.columns;
      if (!worker.idle || !queue.length) continue;
      const { message, told } = queue.shift(), ticket = ++this.count;
      this.tickets.set(ticket, told);
      worker.idle = false;
      worker.postMessage({ ...message, ticket });
    }
  }
}
