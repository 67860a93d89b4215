"""Problems, one file each. This list of names is all that a new one is added to."""

from collections.abc import Callable

from gdfast.named import named
from gdfast.problems._check import GradientCheck, check_gradient
from gdfast.problems._landscape import Landscape
from gdfast.problems._problem import Problem
from gdfast.problems._stationary import StationaryPoint
from gdfast.problems._stepping import LaneKernel
from gdfast.problems.absolute_value import absolute_value
from gdfast.problems.ackley import ackley
from gdfast.problems.beale import beale
from gdfast.problems.bohachevsky import bohachevsky
from gdfast.problems.booth import booth
from gdfast.problems.branin import branin
from gdfast.problems.bukin6 import bukin6
from gdfast.problems.colville import colville
from gdfast.problems.cross_in_tray import cross_in_tray
from gdfast.problems.dixon_price import dixon_price
from gdfast.problems.drawn import drawn
from gdfast.problems.drop_wave import drop_wave
from gdfast.problems.easom import easom
from gdfast.problems.eggholder import eggholder
from gdfast.problems.expression import from_expression
from gdfast.problems.flat_quartic import flat_quartic
from gdfast.problems.flat_start import flat_start
from gdfast.problems.forrester import forrester
from gdfast.problems.freudenstein_roth import freudenstein_roth
from gdfast.problems.goldstein_price import goldstein_price
from gdfast.problems.gramacy_lee import gramacy_lee
from gdfast.problems.griewank import griewank
from gdfast.problems.himmelblau import himmelblau
from gdfast.problems.holder_table import holder_table
from gdfast.problems.huber import huber
from gdfast.problems.in_turn import in_turn
from gdfast.problems.langermann import langermann
from gdfast.problems.lessard import lessard
from gdfast.problems.levy13 import levy13
from gdfast.problems.matyas import matyas
from gdfast.problems.maximized import maximized
from gdfast.problems.mccormick import mccormick
from gdfast.problems.michalewicz import michalewicz
from gdfast.problems.models.from_model import from_model
from gdfast.problems.monkey_saddle import monkey_saddle
from gdfast.problems.networks.mlp import mlp
from gdfast.problems.networks.trainability_network import trainability_network
from gdfast.problems.phases import phases
from gdfast.problems.plateau import plateau
from gdfast.problems.powell import powell
from gdfast.problems.quadratic import quadratic
from gdfast.problems.quartic import quartic
from gdfast.problems.rastrigin import rastrigin
from gdfast.problems.rippled_parabola import rippled_parabola
from gdfast.problems.rosenbrock import rosenbrock
from gdfast.problems.rows.linear_regression import linear_regression
from gdfast.problems.rows.logistic_regression import logistic_regression
from gdfast.problems.rows.ridge_regression import ridge_regression
from gdfast.problems.rows.softmax_regression import softmax_regression
from gdfast.problems.saddle import saddle
from gdfast.problems.scalar_factorization import scalar_factorization
from gdfast.problems.schaffer2 import schaffer2
from gdfast.problems.schaffer4 import schaffer4
from gdfast.problems.schwefel import schwefel
from gdfast.problems.shubert import shubert
from gdfast.problems.sigmoid import sigmoid
from gdfast.problems.sine_in_bowl import sine_in_bowl
from gdfast.problems.six_hump_camel import six_hump_camel
from gdfast.problems.strict_saddle import strict_saddle
from gdfast.problems.styblinski_tang import styblinski_tang
from gdfast.problems.three_hump_camel import three_hump_camel
from gdfast.problems.trid import trid
from gdfast.problems.two_sines import two_sines
from gdfast.problems.zakharov import zakharov

CATALOGUE: dict[str, Callable[..., Problem]] = {
    make.__name__: make
    for make in (
        absolute_value,
        ackley,
        beale,
        bohachevsky,
        booth,
        branin,
        bukin6,
        colville,
        cross_in_tray,
        dixon_price,
        drawn,
        drop_wave,
        easom,
        eggholder,
        flat_quartic,
        flat_start,
        forrester,
        freudenstein_roth,
        from_model,
        goldstein_price,
        gramacy_lee,
        griewank,
        himmelblau,
        holder_table,
        huber,
        in_turn,
        langermann,
        lessard,
        levy13,
        linear_regression,
        logistic_regression,
        matyas,
        maximized,
        mccormick,
        michalewicz,
        mlp,
        monkey_saddle,
        phases,
        plateau,
        powell,
        quadratic,
        quartic,
        rastrigin,
        ridge_regression,
        rippled_parabola,
        rosenbrock,
        saddle,
        scalar_factorization,
        schaffer2,
        schaffer4,
        schwefel,
        shubert,
        sigmoid,
        sine_in_bowl,
        six_hump_camel,
        softmax_regression,
        strict_saddle,
        styblinski_tang,
        three_hump_camel,
        trainability_network,
        trid,
        two_sines,
        zakharov,
    )
}
"""The problems by name."""

__all__ = [
    "CATALOGUE",
    "GradientCheck",
    "Landscape",
    "LaneKernel",
    "Problem",
    "StationaryPoint",
    "absolute_value",
    "ackley",
    "beale",
    "bohachevsky",
    "booth",
    "branin",
    "bukin6",
    "check_gradient",
    "colville",
    "cross_in_tray",
    "dixon_price",
    "drawn",
    "drop_wave",
    "easom",
    "eggholder",
    "flat_quartic",
    "flat_start",
    "forrester",
    "freudenstein_roth",
    "from_expression",
    "from_model",
    "goldstein_price",
    "gramacy_lee",
    "griewank",
    "himmelblau",
    "holder_table",
    "huber",
    "in_turn",
    "langermann",
    "lessard",
    "levy13",
    "linear_regression",
    "logistic_regression",
    "matyas",
    "maximized",
    "mccormick",
    "michalewicz",
    "mlp",
    "monkey_saddle",
    "named",
    "phases",
    "plateau",
    "powell",
    "quadratic",
    "quartic",
    "rastrigin",
    "ridge_regression",
    "rippled_parabola",
    "rosenbrock",
    "saddle",
    "scalar_factorization",
    "schaffer2",
    "schaffer4",
    "schwefel",
    "shubert",
    "sigmoid",
    "sine_in_bowl",
    "six_hump_camel",
    "softmax_regression",
    "strict_saddle",
    "styblinski_tang",
    "three_hump_camel",
    "trainability_network",
    "trid",
    "two_sines",
    "zakharov",
]
