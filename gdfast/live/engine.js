// Whole trajectories in the browser: what gdfast.tiles.reference and gdfast.tiles.outcomes do, one trajectory at a time.
//
// A pair of a landscape and an optimizer is { advance, objective, gradient, hessian, before, initial, single }, written
// by gdfast.live.pairs. advance() takes a trajectory on until it has settled. Here it is driven through its budget; it
// is looked whether what did not settle stands still, repeats itself or comes down; and it is told what the end is.
"use strict";

// For texts that take numbers apart by their bits.
const F = new Float64Array(1), I = new Int32Array(F.buffer);

function product_high(a, b) {
  a >>>= 0; b >>>= 0;
  const a1 = a >>> 16, a0 = a & 65535, b1 = b >>> 16, b0 = b & 65535;
  const middle = a1 * b0 + Math.floor(a0 * b0 / 65536);
  const other = a0 * b1 + middle % 65536;
  return (a1 * b1 + Math.floor(middle / 65536) + Math.floor(other / 65536)) | 0;
}

// aᵇ rounded correctly for whole b, by squaring sums of two numbers (Dekker 1971); else what the browser says.
function rounded_power(a, b) {
  if (!Number.isInteger(b) || Math.abs(b) > 2 ** 31 || !Number.isFinite(a) || a === 0) return a ** b;
  const plain = a ** b;
  if (!Number.isFinite(plain) || Math.abs(plain) < 1e-280 || Math.abs(plain) > 1e280) return plain;
  let high = 1, low = 0, base = a, rest = 0;
  for (let n = Math.abs(b); n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) [high, low] = product(high, low, base, rest);
    if (n > 1) [base, rest] = product(base, rest, base, rest);
  }
  if (b > 0) return high + low;
  const quotient = 1 / (high + low), [p, q] = product(quotient, 0, high, low);
  return quotient + (1 - p - q) * quotient;
}

function product(a, a_low, b, b_low) {
  const p = a * b, c = 134217729, a1 = a * c - (a * c - a), b1 = b * c - (b * c - b), a2 = a - a1, b2 = b - b1;
  const error = ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2 + (a * b_low + a_low * b);
  return [p + error, error - ((p + error) - p)];
}

function remainder(a, b) {
  const rest = a % b;
  return rest !== 0 && (rest < 0) !== (b < 0) ? rest + b : rest;
}

const LONGEST_PERIOD = 16, TAIL = 32, SAMPLE_EVERY = 4, REPEATS_WITHIN = 1e-6, STILL_WITHIN = 16, BEYOND_SCATTER = 2;
const RECENT = 3, STATIONARY = 1, FIXED = 2, CYCLING = 3, MOVING = 4, DIVERGED = 5, DOWN = -1, NEITHER = 0, UP = 1;
const LEVEL = 2;
const OUTCOMES = ["not_run", "global_minimum", "local_minimum", "stalled", "oscillating", "unfinished", "diverged", "frozen", "worse"];
const [, GLOBAL, LOCAL, STALLED, OSCILLATING, UNFINISHED, HAS_DIVERGED, FROZEN, WORSE] = OUTCOMES.keys();

// Where the objective is noted: some steps of the middle of the budget, and of its end.
function sampled_steps(budget) {
  const begin = budget - Math.min(TAIL, budget), middle = Math.floor(begin / 2), steps = [];
  for (let t = middle; t < Math.min(begin, middle + Math.min(TAIL, budget) + 1); t += SAMPLE_EVERY) steps.push(t);
  const split = steps.length;
  for (let t = begin; t <= budget; t += SAMPLE_EVERY) steps.push(t);
  return { steps, split, begin };
}

// A place in which trajectories of a pair are run, one after the other; task has what all of them share.
class Runner {
  constructor(pair, task) {
    this.pair = pair;
    this.task = task; // { d, budget, table, tolerance, divergence, limits }
    this.d = task.d;
    this.round = pair.single ? Math.fround : (x) => x;
    this.epsilon = pair.single ? 2 ** -23 : 2 ** -52;
    this.lane = new Float64Array(this.d + pair.initial.length);
    this.sampled = sampled_steps(task.budget);
    this.window = Math.min(TAIL, task.budget);
    this.tail = new Float64Array((this.window + 1) * this.d);
    this.samples = new Float64Array(this.sampled.steps.length);
    this.end = { theta: new Float64Array(this.d), steps: 0, ending: 0, outcome: 0, basin: -1, period: 0, loss: 0, norm: 0, trend: 0, recent: 0 };
  }

  begin(x, y, lane = this.lane) {
    const { d, pair, round } = this;
    lane[0] = round(x);
    if (d > 1) lane[1] = round(y);
    // What is no number is the coordinate's own; slots come first, d numbers each.
    for (let k = 0; k < pair.initial.length; k++) {
      lane[d + k] = Number.isNaN(pair.initial[k]) ? lane[k % d] : pair.initial[k];
    }
  }

  objective() { return this.pair.objective(this.lane[0], this.lane[1]); }

  // The trajectory from (x, y) with a learning rate; what became of it, in this.end, until the next is run.
  run(x, y, rate, number) {
    const { pair, lane, task, end, d, sampled, samples, window } = this, { steps, split, begin } = sampled;
    const { table, tolerance, divergence, budget } = task;
    this.begin(x, y);
    end.period = 0; end.trend = NEITHER; end.recent = 0; end.basin = -1;
    let t = 0, code = -1, at = 0;
    for (; at < split && code < 0; at++) {
      code = pair.advance(lane, rate, number, table, t, steps[at], tolerance, divergence);
      t = steps[at];
      if (code < 0) samples[at] = this.objective();
    }
    if (code < 0) code = pair.advance(lane, rate, number, table, t, begin, tolerance, divergence);
    for (t = begin; t <= budget && code < 0; t++) {
      const place = (t - begin) * d;
      for (let i = 0; i < d; i++) this.tail[place + i] = lane[i];
      if (t === steps[at]) samples[at++] = this.objective();
      code = pair.advance(lane, rate, number, table, t, t + 1, tolerance, divergence);
    }
    if (code >= 0) {
      end.steps = Math.floor(code / 2);
      end.ending = code % 2 ? DIVERGED : STATIONARY;
      for (let i = 0; i < d; i++) end.theta[i] = lane[i];
    } else {
      end.steps = budget;
      for (let i = 0; i < d; i++) end.theta[i] = this.tail[window * d + i];
      this.tell_tail();
      end.trend = trend_of(samples, split || Math.floor(samples.length / 2), this.epsilon);
      const several = Math.min(RECENT, samples.length);
      for (let k = samples.length - several; k < samples.length; k++) end.recent += samples[k];
      end.recent /= several;
    }
    const point = end.theta;
    end.loss = pair.objective(point[0], point[1]);
    const gradient = pair.gradient(point[0], point[1]);
    end.norm = Math.abs(gradient[0]);
    if (d > 1) end.norm = Math.max(end.norm, Math.abs(gradient[1]));
    judge(end, x, y, pair, task);
    return end;
  }

  // Whether the last points stand still, or the smallest period with which they repeat.
  tell_tail() {
    const { tail, window, d, end, round } = this, last = window * d;
    let amplitude = 0, size = 0;
    for (let k = 0; k < last; k++) amplitude = Math.max(amplitude, Math.abs(round(tail[k] - tail[last + k % d])));
    for (let i = 0; i < d; i++) size = Math.max(size, Math.abs(tail[last + i]));
    end.ending = MOVING;
    if (amplitude <= round(round(STILL_WITHIN * this.epsilon) * size)) { end.ending = FIXED; return; }
    if (!(amplitude < Infinity)) return;
    const within = round(round(REPEATS_WITHIN) * amplitude);
    for (let period = 2; period <= Math.min(LONGEST_PERIOD, Math.floor(window / 2)); period++) {
      let repeats = true;
      for (let k = last + d - 1; k >= period * d && repeats; k--) repeats = Math.abs(round(tail[k] - tail[k - period * d])) <= within;
      if (repeats) { end.ending = CYCLING; end.period = period; return; }
    }
  }
}

// How the objective went from the first samples, `split` of them, to the others: see gdfast.tiles.ending.trend_of.
function trend_of(samples, split, epsilon) {
  const n = samples.length, before = line(samples, 0, split), after = line(samples, split, n);
  const change = after.mean - before.mean, least = BEYOND_SCATTER * before.scatter, most = BEYOND_SCATTER * after.scatter;
  if (change < -least || change < -most) return DOWN;
  if (change > least || change > most) return UP;
  for (let k = 0; k < n; k++) {
    if (!(Math.abs(samples[k] - samples[n - 1]) <= STILL_WITHIN * epsilon * Math.abs(samples[n - 1]))) return NEITHER;
  }
  return LEVEL;
}

function line(samples, from, to) {
  const k = to - from;
  if (k === 0) return { mean: NaN, scatter: 0 };
  const base = samples[from + Math.floor(k / 2)];
  let total = 0, slope = 0, squares = 0;
  for (let at = 0; at < k; at++) {
    const around = samples[from + at] - base;
    total += around; slope += (at - (k - 1) / 2) * around; squares += around * around;
  }
  const mean = total / k;
  if (k < 3) return { mean: base + mean, scatter: 0 };
  const variance = squares / k - mean * mean - slope * slope * (12 / (k * k * (k * k - 1)));
  return { mean: base + mean, scatter: Math.sqrt(variance > 0 ? variance : variance === variance ? 0 : NaN) };
}

// What an end is: gdfast.tiles.outcomes.Judge, for one trajectory.
function judge(end, x, y, pair, task) {
  const { limits, d } = task, { theta, loss, ending, trend } = end, before = pair.before(x, y);
  const down = trend === DOWN || (trend === LEVEL && end.norm <= limits.creeping);
  let outcome = OSCILLATING;
  if (down) outcome = UNFINISHED;
  if ((down || trend === UP) && loss > before) outcome = WORSE;
  if (ending === CYCLING) outcome = OSCILLATING;
  if (ending === FIXED) outcome = FROZEN;
  if (ending === DIVERGED || !(loss <= limits.highest)) outcome = HAS_DIVERGED;
  if (ending === STATIONARY) outcome = STALLED;
  const { heights } = limits;
  let at = 0;
  while (at < heights.length - 1 && heights[at] < loss - limits.slack) at++;
  const near = ending !== DIVERGED && (loss <= limits.low || Math.abs(heights[at] - loss) <= limits.slack);
  const resting = ending === STATIONARY;
  if (resting) {
    const place = locate(theta, limits, d);
    outcome = place < 0 ? STALLED : limits.outcomes[place];
    end.basin = place < 0 ? -1 : limits.basins[place];
    if (place < 0 && is_bowl(theta, pair, limits, d)) outcome = LOCAL;
  }
  if (outcome === UNFINISHED && is_outside(theta, limits.around, d)) {
    if (falls_outwards(theta, loss, pair, limits)) outcome = HAS_DIVERGED;
  } else if (outcome === UNFINISHED && end.norm > limits.steep && !is_outside(theta, limits.inside, d)) {
    if ((loss < limits.below || limits.below === -Infinity) && falls_into_pole(theta, pair, limits, d)) outcome = HAS_DIVERGED;
  }
  const short = task.budget < SAMPLE_EVERY;
  if (ending === MOVING && (short || trend === LEVEL)) {
    if (short && loss < before) outcome = UNFINISHED;
    if (short && loss > before) outcome = WORSE;
    if (short && !(loss <= limits.highest)) outcome = HAS_DIVERGED;
    let moved = Math.abs(theta[0] - x);
    if (d > 1) moved = Math.max(moved, Math.abs(theta[1] - y));
    if (moved <= STILL_WITHIN * (pair.single ? 2 ** -23 : 2 ** -52) * limits.width) outcome = FROZEN;
  }
  if (near && outcome !== GLOBAL && (resting || end.recent - loss <= limits.slack)) {
    if (!resting) {
      end.basin = nearby(theta, loss, limits, d);
      if (end.basin >= 0) outcome = LOCAL;
    }
    if (loss <= limits.low && loss >= limits.below) {
      outcome = GLOBAL;
      if (end.basin < 0) end.basin = nearby(theta, loss, limits, d);
    }
  }
  end.outcome = outcome;
}

// The place among points, flat and d numbers each, of the nearest that is within its reach; −1 if none is.
function nearest(theta, from, d, points, order, reach) {
  let place = -1, best = Infinity;
  for (const k of order) {
    let distance = Math.abs(theta[from] - points[k * d]);
    if (d > 1) distance = Math.max(distance, Math.abs(theta[from + 1] - points[k * d + 1]));
    if ((reach === null || distance <= reach[k]) && distance < best) { place = k; best = distance; }
  }
  return place;
}

// Which stationary point a settled end is at.
function locate(theta, limits, d) {
  const { part } = limits;
  const point = limits.representative ? limits.representative(theta) : theta;
  if (!part) return nearest(point, 0, d, limits.points, limits.order, limits.reach);
  let number = 0;
  for (let i = 0; i < d; i++) {
    const at = nearest(theta, i, 1, part.points, part.order, part.reach);
    if (at < 0) return -1;
    number = number * part.points.length + at;
  }
  return part.place[number];
}

// The basin of the nearest minimum, −1 where its loss is not that of the point.
function nearby(theta, loss, limits, d) {
  const { part, wells } = limits;
  if (!wells.losses.length) return -1;
  let basin = 0;
  if (part) {
    let number = 0;
    for (let i = 0; i < d; i++) number = number * part.points.length + Math.max(nearest(theta, i, 1, part.points, part.wells, null), part.wells[0]);
    basin = limits.basins[part.place[number]];
  } else {
    const point = limits.representative ? limits.representative(theta) : theta;
    basin = Math.max(nearest(point, 0, d, wells.points, wells.losses.keys(), null), 0);
  }
  return Math.abs(wells.losses[basin] - loss) <= limits.slack ? basin : -1;
}

function is_outside(theta, [low, high], d) {
  for (let i = 0; i < d; i++) if (!(theta[i] >= low[i] && theta[i] <= high[i])) return true;
  return false;
}

// Whether a stationary point that is not known is a minimum by its curvature.
function is_bowl(theta, pair, limits, d) {
  let bend = pair.hessian ? pair.hessian(theta[0], theta[1]) : [NaN];
  if (!bend.every(Number.isFinite)) bend = differences(theta, pair, d);
  if (!bend.every(Number.isFinite)) return false;
  const half = d > 1 ? (bend[0] + bend[3]) / 2 : bend[0], across = d > 1 ? Math.hypot((bend[0] - bend[3]) / 2, bend[2]) : 0;
  return (half - across) * 0.01 * limits.width > limits.stationary;
}

function differences(theta, pair, d) {
  const rows = [];
  for (let i = 0; i < d; i++) {
    const step = 6.055454452393343e-06 * Math.max(1, Math.abs(theta[i])), up = [...theta], down = [...theta];
    up[i] += step; down[i] -= step;
    const above = pair.gradient(up[0], up[1]), below = pair.gradient(down[0], down[1]);
    for (let j = 0; j < d; j++) rows.push((above[j] - below[j]) / (up[i] - down[i]));
  }
  if (d > 1) rows[1] = rows[2] = (rows[1] + rows[2]) / 2;
  return rows;
}

// Whether the loss falls without bound, as far as doublings of the distance from the domain's middle can tell.
function falls_outwards(theta, loss, pair, { middle }) {
  return falls_steadily(loss, (k) => {
    const at = middle.map((m, i) => m + (theta[i] - m) * 2 ** k);
    return pair.before(at[0], at[1]);
  });
}

// Whether it does so towards a pole on a short way straight down.
function falls_into_pole(theta, pair, limits, d) {
  const start = [theta[0], theta[1]].slice(0, d), slope = pair.gradient(start[0], start[1]).slice(0, d);
  const steepest = Math.max(...slope.map(Math.abs)), way = slope.map((s) => s / steepest * (-(2 ** -10) * limits.width));
  const at = (share) => start.map((x, i) => x + share * way[i]), loss_at = (share) => pair.before(...at(share));
  const loss = loss_at(0);
  let before = 0, behind = 1;
  for (let halving = 0; halving < 90; halving++) {
    const middle = (before + behind) / 2, there = pair.gradient(...at(middle));
    const falls = way.reduce((sum, w, i) => sum + there[i] * w, 0) < 0;
    if (falls && loss_at(middle) < loss) before = middle; else behind = middle;
  }
  return falls_steadily(loss, (k) => loss_at(before * (1 - 2 ** -k)));
}

// Whether values fall from each to the next, and at last still by a share of the largest fall.
function falls_steadily(first, value_of) {
  let last = first, most = 0, fall = 0;
  for (let k = 1; k <= 24; k++) {
    const value = value_of(k);
    fall = last - value;
    if (!Number.isFinite(fall)) fall = value === -Infinity ? Infinity : -1;
    if (!(fall > 0)) return false;
    most = Math.max(most, fall);
    last = value;
  }
  return fall >= 0.25 * most;
}

// Numbers that came as text.
function unpacked(value) {
  if (value === null || typeof value !== "object") return typeof value === "string" && value.endsWith("Infinity") ? Number(value) : value;
  if (Array.isArray(value)) return value.map(unpacked);
  if (typeof value.data === "string" && typeof value.kind === "string") {
    const bytes = Uint8Array.from(atob(value.data), (c) => c.charCodeAt(0));
    return value.kind === "f8" ? new Float64Array(bytes.buffer) : new Int16Array(bytes.buffer);
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unpacked(each)]));
}
