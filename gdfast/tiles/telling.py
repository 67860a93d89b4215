"""How trajectories of a block end that spend their budget: whether they repeat themselves, how the objective went."""

import math

import numpy as np

from gdfast.formulas.lane_products import independent
from gdfast.kernels.options import apart, wide
from gdfast.kernels.signatures import SETTLED
from gdfast.tiles.ending import BEYOND_SCATTER, LONGEST_PERIOD, RECENT, Ending, Trend

_FIXED, _CYCLING = int(Ending.fixed), int(Ending.cycling)
_DOWN, _UP, _LEVEL, _NEITHER = int(Trend.down), int(Trend.up), int(Trend.level), int(Trend.neither)


def tell_tails(block, n, within, still, first, ends):
    """Tell of each live lane whether it stands still, or the smallest period > 1 with which its last moves repeat."""
    apart()
    tail, number, status, amplitude, least = block.tail, block.number, block.status, block.work[0], block.work[1]
    window, d = tail.shape[0] - 1, tail.shape[1]
    longest = min(LONGEST_PERIOD, window // 2)
    for lane in range(n):
        amplitude[lane] = 0.0
        least[lane] = np.inf
        independent()
    for k in range(window):
        for i in range(d):
            for lane in range(n):
                distance = abs(tail[k, i, lane] - tail[window, i, lane])
                amplitude[lane] = distance if distance > amplitude[lane] else amplitude[lane]
                independent()
    # Most lanes fail at the last gap of any period already; only those that do not are looked at in full.
    for period in range(2, longest + 1):
        for lane in range(n):
            gap = abs(tail[window, 0, lane] - tail[window - period, 0, lane])
            least[lane] = gap if gap < least[lane] else least[lane]
            independent()
    for lane in range(n):
        limit = within * amplitude[lane]
        size = abs(tail[window, 0, lane])
        for i in range(1, d):
            coordinate = abs(tail[window, i, lane])
            size = coordinate if coordinate > size else size
        if amplitude[lane] <= still * size and status[lane] & SETTLED == 0:
            ends.ending[number[lane] - first] = _FIXED
        elif least[lane] <= limit and 0.0 < limit < np.inf and status[lane] & SETTLED == 0:
            for period in range(2, longest + 1):
                repeats = True
                for k in range(window - period, -1, -1):
                    for i in range(d):
                        repeats = repeats and abs(tail[k + period, i, lane] - tail[k, i, lane]) <= limit
                    if not repeats:
                        break
                if repeats:
                    ends.ending[number[lane] - first] = _CYCLING
                    ends.period[number[lane] - first] = period
                    break


def _fit_line(samples, n, mean, scatter, slope):
    """Put into ``mean[:n]`` and ``scatter[:n]`` what `gdfast.tiles.ending` tells of the line of each lane."""
    apart()
    wide()
    k, squares = len(samples), scatter
    base = samples[k // 2]
    for lane in range(n):
        mean[lane] = slope[lane] = squares[lane] = 0.0
        independent()
    for at in range(k):
        place, row = at - (k - 1) / 2, samples[at]
        for lane in range(n):
            around = row[lane] - base[lane]
            mean[lane] += around
            slope[lane] += place * around
            squares[lane] += around * around
            independent()
    share = 12 / (k * k * (k * k - 1)) if k > 2 else 0.0
    for lane in range(n):
        around = mean[lane] / k
        variance = squares[lane] / k - around * around - slope[lane] * slope[lane] * share
        mean[lane] = base[lane] + around
        scatter[lane] = math.sqrt(0.0 if variance < 0.0 or k < 3 else variance)
        independent()


def tell_trends(block, noted, n, middle, rounding, first, ends):
    """Tell of each live lane how its objective went from the first samples, so many, to the others."""
    apart()
    samples, number, status, work = noted.values, block.number, block.status, noted.work
    before, one, after, other, slope = work[0], work[1], work[2], work[3], work[4]
    k = len(samples)
    split, several = middle if middle > 0 else k // 2, min(RECENT, k)
    for lane in range(n):
        before[lane], one[lane] = np.nan, 0.0
        independent()
    if split > 0:
        _fit_line(samples[:split], n, before, one, slope)
    _fit_line(samples[split:], n, after, other, slope)
    for lane in range(n):
        if status[lane] & SETTLED:
            continue
        at, recent, trend = number[lane] - first, 0.0, _NEITHER
        change, least, most = after[lane] - before[lane], BEYOND_SCATTER * one[lane], BEYOND_SCATTER * other[lane]
        if (change < -least) | (change < -most):
            trend = _DOWN
        elif (change > least) | (change > most):
            trend = _UP
        else:
            trend, last = _LEVEL, samples[k - 1, lane]
            for j in range(k - 1):
                if not abs(samples[j, lane] - last) <= rounding * abs(last):
                    trend = _NEITHER
                    break
        for j in range(k - several, k):
            recent += samples[j, lane]
        ends.trend[at] = trend
        ends.recent[at] = recent / several
