"""The update rules as plain loops over floats, as a textbook has them; imports nothing from gdfast.

Each takes a gradient function (list of floats → list of floats), a start, a learning rate and a number of steps,
and returns the list of points, start included.
"""

from math import sqrt


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


def adagrad(gradient, start, lr, steps, lr_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
    path, x, total = [list(start)], list(start), [initial_accumulator_value] * len(start)
    for t in range(1, steps + 1):
        g = gradient(x)
        rate = lr / (1 + (t - 1) * lr_decay)
        for i in range(len(x)):
            total[i] += g[i] ** 2
        x = [xi - rate * gi / (sqrt(s) + eps) for xi, gi, s in zip(x, g, total, strict=True)]
        path.append(x)
    return path


def rmsprop(gradient, start, lr, steps, alpha=0.99, eps=1e-8, momentum=0.0, centered=False):
    n = len(start)
    path, x = [list(start)], list(start)
    v, m, buffer = [0.0] * n, [0.0] * n, [0.0] * n
    for _ in range(steps):
        g, x = gradient(x), list(x)
        for i in range(n):
            v[i] = alpha * v[i] + (1 - alpha) * g[i] ** 2
            m[i] = alpha * m[i] + (1 - alpha) * g[i]
            spread = sqrt(v[i] - m[i] ** 2) if centered else sqrt(v[i])
            buffer[i] = momentum * buffer[i] + g[i] / (spread + eps)
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
