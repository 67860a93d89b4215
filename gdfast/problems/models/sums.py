"""Means over rows of a loss of a model, of its gradient and its Hessian, in NumPy."""

import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from gdfast.formulas.chain_rule import ChainRule
from gdfast.formulas.derivatives import LARGEST_GRAPH, NoDerivativeError, derived, product_from, ways
from gdfast.formulas.elementary import Array
from gdfast.formulas.families import define
from gdfast.formulas.formula import Formula
from gdfast.formulas.graph import Graph
from gdfast.formulas.writer import Writer
from gdfast.problems._stepping import real_of
from gdfast.problems.models.lanes import ModelKernel, lane_kernel
from gdfast.problems.models.losses import Row
from gdfast.problems.models.reading import Split
from gdfast.problems.models.solving import Surface

_BLOCK = 2**20  # numbers of a formula's results at a time
_DIFFERENCE = 1e-6  # step of the Hessian's differences where it cannot be derived


class RowSums:
    """A loss of the rows of a table, with a penalty, and its derivatives.

    The columns of a table are those of the model, then the target, then the width that some losses have.

    Parameters
    ----------
    split : Split
        The model.
    row : callable
        The loss of a row, see `gdfast.problems.models.losses`.
    penalty : float
        Factor of ½‖θ‖².

    Raises
    ------
    ValueError
        If it cannot be differentiated.
    """

    def __init__(self, split: Split, row: Row, penalty: float) -> None:
        graph = split.graph.copy()
        self.parameters, self.penalty, self._split = split.parameters, penalty, split
        self._names = (*split.parameters, *split.columns, "y", "w")
        self._graph = graph
        self._loss_of, self._row = row, row(graph, split.output, graph.coordinate("y"), graph.coordinate("w"))
        try:
            gradient = derived("gradient", graph.copy(), [self._row], self._names, self.parameters, of_sums=True)
        except NoDerivativeError as error:
            raise ValueError(f"model: {error}") from None
        loss = Writer(graph.copy()).formula("loss", self._names, self._row)
        self._loss, self._gradient = Formula.of(loss, 1), Formula.of(gradient, len(self.parameters))

    @property
    def lane_kernel(self) -> ModelKernel:
        """The same for the compiler."""
        product = self._product and self._product.function
        outer = self._outer and self._outer.function
        return lane_kernel(self._loss.function, self._gradient.function, product, outer, len(self.parameters))

    @functools.cached_property
    def _hessian(self) -> Formula | None:
        """The formula of the Hessian; None if it would have too many operations."""
        graph, d = self._graph.copy(), len(self.parameters)
        try:
            slopes = ChainRule(graph).by(self._row, self.parameters)
            return Formula.of(derived("hessian", graph, slopes, self._names, self.parameters), d)
        except (NoDerivativeError, ValueError):
            return None

    @functools.cached_property
    def _product(self) -> Formula | None:
        """The formula of the Hessian times a vector; None if it cannot be derived."""
        graph, d = self._graph.copy(), len(self.parameters)
        try:
            slopes = ChainRule(graph, of_sums=True).by(self._row, self.parameters)
            names = self.parameters, self._names[d:]
            return Formula.of(product_from(graph, slopes, names, of_sums=True), d)
        except (NoDerivativeError, ValueError):
            return None

    @functools.cached_property
    def _outer(self) -> Formula | None:
        """The formula of l″ (∇z · v) ∇z with the model's value z, the matrix of Gauss and Newton times a vector v."""
        graph, d, split = self._graph.copy(), len(self.parameters), self._split
        rest, own = self._names[d:], Graph(LARGEST_GRAPH)
        places = [own.coordinate(name) for name in ("z", "y", "w")]
        try:
            (slope,) = ChainRule(own).by(self._loss_of(own, *places), ["z"])
            bend = Formula.of(derived("hessian", own, [slope], ("z", "y", "w"), ["z"]), 1)
            slopes = derived("gradient", graph, [split.output], self._names, self.parameters, of_sums=True)
        except (NoDerivativeError, ValueError):
            return None
        way = ways(d, {*self.parameters, *rest})
        lines, each = Formula.of(slopes, d).inlined(self._names, "_of_slopes")
        more, (value,) = self._output.inlined(self._names[:-2], "_of_output")
        last, (curved,) = bend.inlined(("value_of_output", "y", "w"), "_of_bend")
        lines += [*more, f"value_of_output = {value}", *last]
        lines.append("along_of_way = " + " + ".join(f"({one}) * {v}" for one, v in zip(each, way, strict=True)))
        lines.append(f"turn_of_way = ({curved}) * along_of_way")
        results = [f"turn_of_way * ({one})" for one in each]
        outer = define("outer", (*self.parameters, *way, *rest), lines, results if d > 1 else results[0])
        return Formula.of(outer, d)

    @functools.cached_property
    def _output(self) -> Formula:
        graph, split = self._graph.copy(), self._split
        return Formula.of(Writer(graph).formula("output", (*split.parameters, *split.columns), split.output), 1)

    def outputs(self, theta: Array, columns: Array) -> Array:
        """Return the model's values, ``float64[rows, n]``, of what is computed of columns, ``float64[rows, k]``."""
        parts = [parts[0] for parts in self._evaluated(self._output, theta, columns)]
        return np.concatenate(parts)

    def on(self, table: Array) -> Surface:
        """The loss of a table with its derivatives, as functions of points."""
        functions = (self.loss, self.gradient, self.hessian)
        loss, gradient, hessian = (functools.partial(function, table=table) for function in functions)
        return Surface(loss, gradient, hessian)

    def mean(self, theta: Array, table: Array) -> Array:
        """Return the mean over the rows without the penalty, ``float64[n]``, summed in their order."""
        total = np.zeros(theta.shape[1], real_of(theta))
        for (values,) in self._evaluated(self._loss, theta, table):
            total = _added(total, values)
        return total * (1.0 / len(table))

    def loss(self, theta: Array, table: Array) -> Array:
        """Return the mean over the rows and the penalty, ``float64[n]``."""
        penalties = np.zeros(theta.shape[1], real_of(theta))
        for weight in theta:
            penalties += ((0.5 * self.penalty) * weight) * weight
        return self.mean(theta, table) + penalties

    def gradient(self, theta: Array, table: Array) -> Array:
        """Return the gradient of `loss`, ``float64[d, n]``, summed in the order of the rows."""
        return self._mean_of_columns(self._gradient, theta, theta, table)

    def product(self, theta: Array, way: Array, table: Array) -> Array:
        """Return the Hessian of `loss` times `way`, ``float64[d, n]``, likewise."""
        assert self._product
        return self._mean_of_columns(self._product, np.concatenate([theta, way]), way, table)

    def gauss_newton(self, theta: Array, way: Array, table: Array) -> Array:
        """Return the matrix of Gauss and Newton of `loss` times `way`, ``float64[d, n]``, likewise."""
        assert self._outer
        return self._mean_of_columns(self._outer, np.concatenate([theta, way]), way, table)

    def _mean_of_columns(self, formula: Formula, given: Array, weights: Array, table: Array) -> Array:
        """The mean of what a formula has of each row, and the penalty times weights, ``float64[d, n]``."""
        total = np.zeros(weights.shape, real_of(weights))
        for parts in self._evaluated(formula, given, table):
            total = np.stack([_added(old, values) for old, values in zip(total, parts, strict=True)])
        return (1.0 / len(table)) * total + self.penalty * weights

    def hessian(self, theta: Array, table: Array) -> Array:
        """Return the Hessians of `loss`, ``float64[d, d, n]``; by differences of the gradient where they are long."""
        d = len(theta)
        if self._hessian is None:
            return self._differences(theta, table)
        total = np.zeros((d * d, theta.shape[1]))
        for parts in self._evaluated(self._hessian, theta, table):
            total += np.stack([values.sum(axis=0) for values in parts])
        bend = (total * (1.0 / len(table))).reshape(d, d, -1)
        bend[np.arange(d), np.arange(d)] += self.penalty
        return bend

    def _differences(self, theta: Array, table: Array) -> Array:
        rows = []
        for i in range(len(theta)):
            step = np.zeros_like(theta)
            step[i] = _DIFFERENCE * np.maximum(np.abs(theta[i]), 1.0)
            ahead, behind = (self.gradient(theta + s, table) for s in (step, -step))
            rows.append((ahead - behind) / (2 * step[i]))
        bend = np.stack(rows)
        return np.asarray(0.5 * (bend + bend.swapaxes(0, 1)))

    def _evaluated(self, formula: Formula, theta: Array, table: Array) -> Iterator[list[Array]]:
        """Yield what a formula returns for some rows at a time, arrays ``dtype[rows, n]``."""
        n, parameters, real = theta.shape[1], [row[None] for row in theta], real_of(theta)
        function: Callable[..., object] = formula.reading(real.name)
        stride = max(1, _BLOCK // max(1, n * formula.results * formula.results))
        for first in range(0, len(table), stride):
            part = table[first : first + stride].astype(real, copy=False)
            with np.errstate(all="ignore"):  # far from the data a model may overflow, which is a value like others
                values = list(_flat(function(*parameters, *part.T[:, :, None])))
            yield [np.broadcast_to(np.asarray(value, real), (len(part), n)) for value in values]


def _flat(values: object) -> Iterator[object]:
    if isinstance(values, tuple):
        for value in values:
            yield from _flat(value)
    else:
        yield values


def _added(total: Array, values: Array) -> Array:
    """A sum and then the rows of an array, one after another."""
    return np.asarray(np.add.accumulate(np.concatenate([total[None], values]), axis=0)[-1])


def is_linear(split: Split) -> bool:
    """Whether a model is linear in its parameters, so that its losses, all of them convex, are convex in these too."""
    graph = split.graph.copy()
    slopes: Sequence[int] = ChainRule(graph).by(split.output, split.parameters)
    reached = set().union(*(graph.reached(node) for node in slopes))
    return not any(graph.nodes[node] == ("name", name) for node in reached for name in split.parameters)
