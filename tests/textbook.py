"""The update rules as plain loops over floats, as a textbook has them; imports nothing from gdfast.

Each takes a gradient function (list of floats → list of floats), a start, a learning rate and a number of steps,
and returns the list of points, start included. What is compared with its loop alone has no peer among other libraries,
and a docstring that says why.
"""

from math import sqrt

import numpy as np


def gd(gradient, start, lr, steps):
    path, x = [list(start)], list(start)
    for _ in range(steps):
        g = gradient(x)
        x = [xi - lr * gi for xi, gi in zip(x, g, strict=True)]
        path.append(x)
    return path


def momentum(gradient, start, lr, steps, momentum=0.9, dampening=0.0):
    path, x, buffer = [list(start)], list(start), None
    for _ in range(steps):
        g = gradient(x)
        if buffer is None:
            buffer = g
        else:
            buffer = [momentum * b + (1 - dampening) * gi for b, gi in zip(buffer, g, strict=True)]
        x = [xi - lr * b for xi, b in zip(x, buffer, strict=True)]
        path.append(x)
    return path


def nesterov(gradient, start, lr, steps, momentum=0.9):
    path, x, buffer = [list(start)], list(start), [0.0] * len(start)
    for _ in range(steps):
        g = gradient(x)
        buffer = [momentum * b + gi for b, gi in zip(buffer, g, strict=True)]
        x = [xi - lr * (gi + momentum * b) for xi, gi, b in zip(x, g, buffer, strict=True)]
        path.append(x)
    return path


def adagrad(gradient, start, lr, steps, lr_decay=0.0, initial_accumulator_value=0.0, eps=1e-10, eps_in_sqrt=False):
    path, x, total = [list(start)], list(start), [initial_accumulator_value] * len(start)
    for t in range(1, steps + 1):
        g = gradient(x)
        rate = lr / (1 + (t - 1) * lr_decay)
        for i in range(len(x)):
            total[i] += g[i] ** 2
        below = [sqrt(s + eps) if eps_in_sqrt else sqrt(s) + eps for s in total]
        x = [xi - rate * gi / b for xi, gi, b in zip(x, g, below, strict=True)]
        path.append(x)
    return path


def rmsprop(
    gradient,
    start,
    lr,
    steps,
    alpha=0.99,
    eps=1e-8,
    momentum=0.0,
    centered=False,
    eps_in_sqrt=False,
    lr_in_momentum=False,
):
    n = len(start)
    path, x = [list(start)], list(start)
    v, m, buffer = [0.0] * n, [0.0] * n, [0.0] * n
    for _ in range(steps):
        g, x = gradient(x), list(x)
        for i in range(n):
            v[i] = alpha * v[i] + (1 - alpha) * g[i] ** 2
            m[i] = alpha * m[i] + (1 - alpha) * g[i]
            spread = v[i] - m[i] ** 2 if centered else v[i]
            below = sqrt(spread + eps) if eps_in_sqrt else sqrt(spread) + eps
            if lr_in_momentum:
                buffer[i] = momentum * buffer[i] + lr * g[i] / below
                x[i] -= buffer[i]
            else:
                buffer[i] = momentum * buffer[i] + g[i] / below
                x[i] -= lr * buffer[i]
        path.append(x)
    return path


def adam(gradient, start, lr, steps, beta1=0.9, beta2=0.999, eps=1e-8, amsgrad=False):
    n = len(start)
    path, x = [list(start)], list(start)
    m, v, largest = [0.0] * n, [0.0] * n, [0.0] * n
    for t in range(1, steps + 1):
        g, x = gradient(x), list(x)
        for i in range(n):
            m[i] = beta1 * m[i] + (1 - beta1) * g[i]
            v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2
            largest[i] = max(largest[i], v[i])
            second = largest[i] if amsgrad else v[i]
            m_hat = m[i] / (1 - beta1**t)
            v_hat = second / (1 - beta2**t)
            x[i] -= lr * m_hat / (sqrt(v_hat) + eps)
        path.append(x)
    return path


def adam_eps_hat(gradient, start, lr, steps, beta1=0.9, beta2=0.999, eps=1e-7):
    """TensorFlow and Keras have it, which are not among the peers."""
    n = len(start)
    path, x = [list(start)], list(start)
    m, v = [0.0] * n, [0.0] * n
    for t in range(1, steps + 1):
        g, x = gradient(x), list(x)
        rate = lr * sqrt(1 - beta2**t) / (1 - beta1**t)
        for i in range(n):
            m[i] = beta1 * m[i] + (1 - beta1) * g[i]
            v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2
            x[i] -= rate * m[i] / (sqrt(v[i]) + eps)
        path.append(x)
    return path


def classical_momentum(gradient, start, lr, steps, momentum=0.9):
    """Keras has it, which is not among the peers; theirs have the rate outside of the velocity."""
    path, x, velocity = [list(start)], list(start), [0.0] * len(start)
    for _ in range(steps):
        g = gradient(x)
        velocity = [momentum * v - lr * gi for v, gi in zip(velocity, g, strict=True)]
        x = [xi + v for xi, v in zip(x, velocity, strict=True)]
        path.append(x)
    return path


def averaged(gradient, begin, lr, steps, of=None, decay=1.0, debias=True, start=0):
    """torch and optax have it beside the parameters, which are what the peers' trajectories are of."""
    points = globals()[of.name if of else "gd"](gradient, begin, lr, steps, **(of.parameters if of else {}))
    path = [list(begin)]
    for t in range(1, steps + 1):
        x = points[t]
        counting = points[int(start) + 1 : t + 1] if t > start + 1 else [x]
        weights = [decay**m for m in range(len(counting))][::-1]
        if not debias:
            weights = [weights[0], *((1 - decay) * w for w in weights[1:])]
        path.append(
            [sum(w * p[i] for w, p in zip(weights, counting, strict=True)) / sum(weights) for i in range(len(x))]
        )
    return path


def extragradient(gradient, start, lr, steps):
    """No library among the peers has it."""
    path, x = [list(start)], list(start)
    for _ in range(steps):
        ahead = [xi - lr * gi for xi, gi in zip(x, gradient(x), strict=True)]
        x = [xi - lr * gi for xi, gi in zip(x, gradient(ahead), strict=True)]
        path.append(x)
    return path


def _solved(matrix, vector):
    return [float(x) for x in np.linalg.solve(np.array(matrix), np.array(vector))]


def newton(gradient, start, lr, steps, hessian):
    """Libraries have it within others, not as an optimizer."""
    path, x = [list(start)], list(start)
    for _ in range(steps):
        x = [xi - lr * si for xi, si in zip(x, _solved(hessian(x), gradient(x)), strict=True)]
        path.append(x)
    return path


def saddle_free_newton(gradient, start, lr, steps, hessian, damping=1e-3):
    """No library among the peers has it."""
    path, x = [list(start)], list(start)
    for _ in range(steps):
        values, axes = np.linalg.eigh(np.array(hessian(x)))
        along = axes.T @ np.array(gradient(x)) / (np.abs(values) + damping)
        x = [float(xi - lr * si) for xi, si in zip(x, axes @ along, strict=True)]
        path.append(x)
    return path


def levenberg_marquardt(gradient, start, lr, steps, hessian, loss, damping=0.01, factor=10.0, divisor=10.0, **_):
    """No library among the peers has it with the Hessian and step by step."""
    path, x = [list(start)], list(start)
    for _ in range(steps):
        damped = np.array(hessian(x)) + damping * np.eye(len(x))
        trial = [xi - lr * si for xi, si in zip(x, _solved(damped, gradient(x)), strict=True)]
        if loss(trial) < loss(x):
            x, damping = trial, damping / divisor
        else:
            damping *= factor
        path.append(x)
    return path


def _dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def _least_of_cubic(x1, f1, g1, x2, f2, g2, low, high):
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if square < 0:
        return (low + high) / 2
    if x1 > x2:
        x1, g1, x2, g2 = x2, g2, x1, g1
    return min(max(x2 - (x2 - x1) * ((g2 + sqrt(square) - d1) / (g2 - g1 + 2 * sqrt(square))), low), high)


def _strong_wolfe(phi, first, c1, c2, most=25):
    # A length by the strong Wolfe conditions, found as torch.optim.LBFGS does; phi gives value and slope.
    value0, slope0 = phi(0.0)
    a, before, tried = first, (0.0, value0, slope0), 0
    while True:  # until two lengths bracket one
        value, slope = phi(a)
        if tried == most:
            bracket = [(0.0, value0, slope0), (a, value, slope)]
            break
        if value > value0 + c1 * a * slope0 or (tried > 1 and value >= before[1]):
            bracket = [before, (a, value, slope)]
            break
        if abs(slope) <= -c2 * slope0:
            return a
        if slope >= 0:
            bracket = [before, (a, value, slope)]
            break
        farther = _least_of_cubic(*before, a, value, slope, a + 0.01 * (a - before[0]), 10 * a)
        before, a, tried = (a, value, slope), farther, tried + 1
    low, high = sorted(bracket, key=lambda end: end[1])
    stuck = False
    while tried < most:
        least, largest = sorted([low[0], high[0]])
        a = _least_of_cubic(*low, *high, least, largest)
        margin = 0.1 * (largest - least)
        if min(largest - a, a - least) < margin:
            if stuck or a >= largest or a <= least:
                a = largest - margin if abs(a - largest) < abs(a - least) else least + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        value, slope = phi(a)
        tried += 1
        if value > value0 + c1 * a * slope0 or value >= low[1]:
            high = (a, value, slope)
            low, high = (high, low) if high[1] < low[1] else (low, high)
            continue
        if abs(slope) <= -c2 * slope0:
            return a
        high = low if slope * (high[0] - low[0]) >= 0 else high
        low = (a, value, slope)
    return low[0]


def _backtracking(phi, first, c1, shrink):
    # The first length by Armijo's condition, each trial shorter than the one before.
    value0, slope0 = phi(0.0)
    a = first
    while phi(a)[0] > value0 + c1 * a * slope0:
        a *= shrink
    return a


def _length(x, p, first, loss, gradient, how):
    def phi(a):
        there = [xi + a * pi for xi, pi in zip(x, p, strict=True)]
        return loss(there), _dot(gradient(there), p)

    if how["search"] == "backtracking":
        return _backtracking(phi, first, how["sufficient"], how["shrink"])
    return _strong_wolfe(phi, first, how["sufficient"], how["curvature"])


def conjugate_gradients(gradient, start, lr, steps, loss, beta="polak_ribiere", **how):
    """SciPy has it with another search, which it ends where the loss is known to a few digits."""
    path, x, p, before, gain = [list(start)], list(start), None, None, None
    for _ in range(steps):
        g = gradient(x)
        size = sum(abs(gi) for gi in g)
        if p is None:
            p, first = [-gi for gi in g], lr * min(1.0, 1.0 / size)
        else:
            change = [a - b for a, b in zip(g, before, strict=True)]
            share = {
                "polak_ribiere": lambda: max(_dot(g, change) / _dot(before, before), 0.0),  # noqa: B023
                "fletcher_reeves": lambda: _dot(g, g) / _dot(before, before),  # noqa: B023
                "hestenes_stiefel": lambda: _dot(g, change) / _dot(p, change),  # noqa: B023
            }[beta]()
            p = [share * pi - gi for pi, gi in zip(p, g, strict=True)]
            p = p if _dot(p, g) < 0 else [-gi for gi in g]
            first = lr * gain / _dot(p, g)
        a = _length(x, p, first, loss, gradient, how)
        gain, before = a * _dot(p, g), g
        x = [xi + a * pi for xi, pi in zip(x, p, strict=True)]
        path.append(x)
    return path


def steepest_descent(gradient, start, lr, steps, loss, growth=0.0, **how):
    path, x, gain, a = [list(start)], list(start), None, 1.0
    for _ in range(steps):
        g = gradient(x)
        p, slope = [-gi for gi in g], -_dot(g, g)
        first = lr * (min(1.0, 1.0 / sum(abs(gi) for gi in g)) if gain is None else gain / slope)
        a = _length(x, p, min(growth * a, lr) if growth else first, loss, gradient, how)
        gain = a * slope
        x = [xi + a * pi for xi, pi in zip(x, p, strict=True)]
        path.append(x)
    return path


def damped_newton(gradient, start, lr, steps, loss, hessian, **how):
    """No library among the peers has it."""
    path, x = [list(start)], list(start)
    for _ in range(steps):
        g = gradient(x)
        p = [-si for si in _solved(hessian(x), g)]
        p = p if _dot(p, g) < 0 else [-gi for gi in g]
        a = _length(x, p, lr, loss, gradient, how)
        x = [xi + a * pi for xi, pi in zip(x, p, strict=True)]
        path.append(x)
    return path


def newton_cg(
    gradient, start, lr, steps, loss, hessian, matrix="hessian", damping=0.0, rounds=50, tolerance=0.5, **how
):
    """SciPy's Newton-CG has other norms, and searches otherwise."""
    path, x = [list(start)], list(start)
    for _ in range(steps):
        g = np.array(gradient(x))
        h = np.array(hessian(x)) + damping * np.eye(len(x))
        p = steihaug(h, g, None, rounds, min(tolerance, np.sqrt(np.linalg.norm(g))))
        a = _length(x, p.tolist(), lr, loss, gradient, how)
        x = [xi + a * pi for xi, pi in zip(x, p, strict=True)]
        path.append(x)
    return path


def steihaug(h, g, radius, rounds, tolerance):
    p, r, d = np.zeros_like(g), g, -g
    for k in range(rounds):
        if np.linalg.norm(r) <= tolerance * np.linalg.norm(g):
            return p
        curvature = d @ h @ d
        ends = [] if radius is None else sorted(np.roots([d @ d, 2 * p @ d, p @ p - radius**2]).real)
        if curvature <= 0:
            if radius is None:
                return p if k else -g
            return min((p + tau * d for tau in ends), key=lambda q: g @ q + 0.5 * q @ h @ q)
        a = r @ r / curvature
        if radius is not None and np.linalg.norm(p + a * d) >= radius:
            return p + ends[1] * d
        p, before, r = p + a * d, r, r + a * h @ d
        d = r @ r / (before @ before) * d - r
    return p


def trust_region_cg(gradient, start, lr, steps, loss, hessian, least=0.15, largest=1000.0, rounds=50, tolerance=0.5):
    """SciPy's trust-ncg is the same; its steps are in the tests of curvature."""

    def within(h, g, radius):
        return steihaug(h, g, radius, rounds, min(tolerance, np.sqrt(np.linalg.norm(g))))

    return _in_regions(gradient, start, lr, steps, loss, hessian, least, largest, within)


def normalized_gd(gradient, start, lr, steps):
    """No library among the peers has it as an optimizer."""
    path, x = [list(start)], list(start)
    for _ in range(steps):
        g = gradient(x)
        norm = sqrt(sum(gi**2 for gi in g))
        x = [xi - lr * gi / norm for xi, gi in zip(x, g, strict=True)] if norm else x
        path.append(x)
    return path


def barzilai_borwein(gradient, start, lr, steps, short=False):
    """No library among the peers has it."""
    path, x, before = [list(start)], list(start), None
    for _ in range(steps):
        g = gradient(x)
        rate = lr
        if before is not None:
            s = [a - b for a, b in zip(x, before[0], strict=True)]
            y = [a - b for a, b in zip(g, before[1], strict=True)]
            sy = sum(a * b for a, b in zip(s, y, strict=True))
            if sy > 0:
                rate = sy / sum(b * b for b in y) if short else sum(a * a for a in s) / sy
        before = (x, g)
        x = [xi - rate * gi for xi, gi in zip(x, g, strict=True)]
        path.append(x)
    return path


def adgd(gradient, start, lr, steps):
    """No library among the peers has it."""
    path, x, before = [list(start)], list(start), None
    rate, ratio = lr, float("inf")
    for _ in range(steps):
        g = gradient(x)
        if before is not None:
            moved = sqrt(sum((a - b) ** 2 for a, b in zip(x, before[0], strict=True)))
            turned = sqrt(sum((a - b) ** 2 for a, b in zip(g, before[1], strict=True)))
            new = min(sqrt(1 + ratio) * rate, moved / (2 * turned) if turned else float("inf"))
            rate, ratio = new, new / rate
        before = (x, g)
        x = [xi - rate * gi for xi, gi in zip(x, g, strict=True)]
        path.append(x)
    return path


def qhadam(gradient, start, lr, steps, beta1=0.995, beta2=0.999, nu1=0.7, nu2=1.0, eps=1e-8):
    n = len(start)
    path, x, m, v = [list(start)], list(start), [0.0] * n, [0.0] * n
    for t in range(1, steps + 1):
        g, x = gradient(x), list(x)
        for i in range(n):
            m[i] = beta1 * m[i] + (1 - beta1) * g[i]
            v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2
            m_hat, v_hat = m[i] / (1 - beta1**t), v[i] / (1 - beta2**t)
            x[i] -= lr * ((1 - nu1) * g[i] + nu1 * m_hat) / (sqrt((1 - nu2) * g[i] ** 2 + nu2 * v_hat) + eps)
        path.append(x)
    return path


def polyak_sgd(gradient, start, lr, steps, loss, lowest, largest=1.0):
    path, x = [list(start)], list(start)
    for _ in range(steps):
        g = gradient(x)
        square = sum(gi**2 for gi in g)
        rate = lr * min((loss(x) - lowest) / square if square else 0.0, largest)
        x = [xi - rate * gi for xi, gi in zip(x, g, strict=True)]
        path.append(x)
    return path


def trust_region(gradient, start, lr, steps, loss, hessian, least=0.15, largest=1000.0):
    """SciPy's trust-exact solves for its steps to a tenth of the radius, which is to be met otherwise."""
    return _in_regions(gradient, start, lr, steps, loss, hessian, least, largest, least_within)


def _in_regions(gradient, start, lr, steps, loss, hessian, least, largest, step):
    path, x, radius = [list(start)], np.array(start), lr
    for _ in range(steps):
        g, h = np.array(gradient(x.tolist())), np.array(hessian(x.tolist()))
        p = step(h, g, radius)
        there = (x + p).tolist()
        model = g @ p + 0.5 * p @ h @ p
        ratio = (loss(there) - loss(x.tolist())) / model if model else 0.25
        if ratio < 0.25:
            radius = radius / 4
        elif ratio > 0.75 and np.linalg.norm(p) > 0.999 * radius:
            radius = min(2 * radius, largest * lr)
        x = x + p if ratio > least else x
        path.append(x.tolist())
    return path


def least_within(h, g, radius):
    values, axes = np.linalg.eigh(h)
    along = axes.T @ g

    def step(shift):
        return -axes @ (along / (values - values[0] + shift))

    if values[0] > 0 and np.linalg.norm(step(values[0])) <= radius:
        return step(values[0])
    low, high = max(values[0], 0.0), np.linalg.norm(g) / radius
    while low < (middle := 0.5 * (low + high)) < high:
        low, high = (middle, high) if np.linalg.norm(step(middle)) > radius else (low, middle)
    return step(high)
