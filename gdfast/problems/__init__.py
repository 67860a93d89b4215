"""Problems, one file each. This list of names is all that a new one is added to."""

from collections.abc import Callable

from gdfast.named import named
from gdfast.problems._check import GradientCheck, check_gradient
from gdfast.problems._landscape import Landscape
from gdfast.problems._problem import Problem
from gdfast.problems._stationary import StationaryPoint
from gdfast.problems._stepping import LaneKernel
from gdfast.problems.ackley import ackley
from gdfast.problems.beale import beale
from gdfast.problems.booth import booth
from gdfast.problems.branin import branin
from gdfast.problems.drop_wave import drop_wave
from gdfast.problems.easom import easom
from gdfast.problems.expression import from_expression
from gdfast.problems.flat_quartic import flat_quartic
from gdfast.problems.goldstein_price import goldstein_price
from gdfast.problems.himmelblau import himmelblau
from gdfast.problems.levy13 import levy13
from gdfast.problems.matyas import matyas
from gdfast.problems.mccormick import mccormick
from gdfast.problems.models.from_model import from_model
from gdfast.problems.monkey_saddle import monkey_saddle
from gdfast.problems.networks.mlp import mlp
from gdfast.problems.networks.trainability_network import trainability_network
from gdfast.problems.plateau import plateau
from gdfast.problems.quadratic import quadratic
from gdfast.problems.quartic import quartic
from gdfast.problems.rastrigin import rastrigin
from gdfast.problems.rosenbrock import rosenbrock
from gdfast.problems.rows.linear_regression import linear_regression
from gdfast.problems.rows.logistic_regression import logistic_regression
from gdfast.problems.rows.ridge_regression import ridge_regression
from gdfast.problems.rows.softmax_regression import softmax_regression
from gdfast.problems.saddle import saddle
from gdfast.problems.sigmoid import sigmoid
from gdfast.problems.six_hump_camel import six_hump_camel
from gdfast.problems.strict_saddle import strict_saddle
from gdfast.problems.styblinski_tang import styblinski_tang
from gdfast.problems.three_hump_camel import three_hump_camel

CATALOGUE: dict[str, Callable[..., Problem]] = {
    make.__name__: make
    for make in (
        ackley,
        beale,
        booth,
        branin,
        drop_wave,
        easom,
        flat_quartic,
        from_model,
        goldstein_price,
        himmelblau,
        levy13,
        linear_regression,
        logistic_regression,
        matyas,
        mccormick,
        mlp,
        monkey_saddle,
        plateau,
        quadratic,
        quartic,
        rastrigin,
        ridge_regression,
        rosenbrock,
        saddle,
        sigmoid,
        six_hump_camel,
        softmax_regression,
        strict_saddle,
        styblinski_tang,
        three_hump_camel,
        trainability_network,
    )
}

__all__ = [
    "CATALOGUE",
    "GradientCheck",
    "Landscape",
    "LaneKernel",
    "Problem",
    "StationaryPoint",
    "ackley",
    "beale",
    "booth",
    "branin",
    "check_gradient",
    "drop_wave",
    "easom",
    "flat_quartic",
    "from_expression",
    "from_model",
    "goldstein_price",
    "himmelblau",
    "levy13",
    "linear_regression",
    "logistic_regression",
    "matyas",
    "mccormick",
    "mlp",
    "monkey_saddle",
    "named",
    "plateau",
    "quadratic",
    "quartic",
    "rastrigin",
    "ridge_regression",
    "rosenbrock",
    "saddle",
    "sigmoid",
    "six_hump_camel",
    "softmax_regression",
    "strict_saddle",
    "styblinski_tang",
    "three_hump_camel",
    "trainability_network",
]
