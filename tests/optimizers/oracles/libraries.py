"""Which rule of gdfast each optimizer of torch.optim, optax and optax.contrib is; imports nothing from gdfast.

`OPTIMIZERS` tells it in gdfast's notation, of all that `names` finds in an installed library.
"""

import importlib
import inspect
import types
from functools import partial
from typing import NamedTuple


class Told(NamedTuple):
    """What an optimizer of another library is: gdfast's notation, several with spaces between, and what to know."""

    notation: str = ""
    note: str = ""


_MATRIX = Told("", "projects the gradients of matrices on their leading directions")
_NO_OPTIMIZER = Told("", "no optimizer")

OPTIMIZERS = {
    "torch.optim": {
        "ASGD": Told("asgd", "its average from t0 on is averaged:of=(asgd),start=1000001"),
        "Adadelta": Told("adadelta"),
        "Adafactor": Told("adafactor"),
        "Adagrad": Told("adagrad"),
        "Adam": Told("adam adam:amsgrad=True", "weight_decay is the transform l2"),
        "AdamW": Told("adamw"),
        "Adamax": Told("adamax", "weight_decay is the transform l2"),
        "LBFGS": Told("lbfgs lbfgs:search=fixed", "with max_iter=1; history_size is history, 32 at most"),
        "Muon": Told("muon", "of matrices, in float64 in place of bfloat16"),
        "NAdam": Told("nadam", "weight_decay is the transform l2, or weight_decay where it is decoupled"),
        "RAdam": Told("radam", "weight_decay is the transform l2, or weight_decay where it is decoupled"),
        "RMSprop": Told("rmsprop"),
        "Rprop": Told("rprop"),
        "SGD": Told("gd momentum nesterov", "weight_decay is the transform l2"),
        "SparseAdam": Told("", "of gradients that are given for some parameters only"),
    },
    "optax": {
        "adabelief": Told("adabelief"),
        "adadelta": Told("adadelta"),
        "adafactor": Told("adafactor:eps1=1e-15", "with factors of all matrices, to single precision of its decay"),
        "adagrad": Told("adagrad:initial_accumulator_value=0.1,eps=1e-07,eps_in_sqrt=True"),
        "adam": Told("adam", "with eps_root adam_eps_root"),
        "adamax": Told("adamax"),
        "adamaxw": Told("adamax|weight_decay:weight=0.0001"),
        "adamw": Told("adamw:weight_decay=0.0001"),
        "adan": Told("", "another rule: weighs the gradient's difference by 1 - b2 in place of b2 (optax#1715)"),
        "amsgrad": Told("amsgrad:debias_first=True"),
        "fromage": Told("fromage", "one norm for all arrays"),
        "lamb": Told("lamb", "one norm for all arrays"),
        "lars": Told("lars", "one norm for all arrays"),
        "lbfgs": Told("", "another line search and another first length than those of lbfgs"),
        "lion": Told("lion:weight_decay=0.001"),
        "nadam": Told("nadam:momentum_schedule=False"),
        "nadamw": Told("nadam:momentum_schedule=False|weight_decay:weight=0.0001"),
        "noisy_sgd": Told("gd|noise:gamma=0.55", "with other random numbers; eta is the square of sigma"),
        "novograd": Told("novograd", "one norm for all arrays"),
        "optimistic_adam": Told("optimistic_adam", "beta is its optimism over the learning rate"),
        "optimistic_adam_v2": Told("optimistic_adam"),
        "optimistic_gradient_descent": Told("optimistic_gd"),
        "polyak_sgd": Told("polyak_sgd", "its scaling acts inversely"),
        "radam": Told("radam:debias_first=True"),
        "rmsprop": Told("rmsprop:alpha=0.9,eps_in_sqrt=True,lr_in_momentum=True"),
        "rprop": Told("", "another rule: returns the update of the step before (optax#1725)"),
        "sgd": Told("gd momentum nesterov"),
        "sign_sgd": Told("signsgd"),
        "signum": Told("signum"),
        "sm3": Told("sm3", "of vectors; of matrices it keeps less"),
        "yogi": Told("yogi"),
    },
    "optax.contrib": {
        "acprop": Told("acprop", "weight_decay is the transform of this name"),
        "ademamix": Told("ademamix"),
        "adopt": Told("adopt"),
        "cocob": Told("cocob", "weight_decay is the transform l2"),
        "dadapt_adamw": Told("dadapt_adamw"),
        "differentially_private_aggregate": Told("", "clips the gradient of each row of data"),
        "dog": Told("dog", "weight_decay is the transform l2"),
        "dowg": Told("dowg", "weight_decay is the transform l2"),
        "dpsgd": Told("", "clips the gradient of each row of data"),
        "galore": _MATRIX,
        "hutchinson_estimator_diag_hessian": _NO_OPTIMIZER,
        "madgrad": Told("madgrad"),
        "mechanize": Told("", "around another optimizer"),
        "momo": Told("momo", "its lower bound is the loss of the lowest minimum, and is not adapted"),
        "momo_adam": Told("momo_adam", "its lower bound is the loss of the lowest minimum, and is not adapted"),
        "muon": Told("muon:weight_decay=0,eps=0,adam_eps=0,debias=True", "with its default of preconditioning"),
        "normalize": Told("gd|normalize", "a transform"),
        "prodigy": Told("prodigy", "without safeguard_warmup"),
        "reduce_on_plateau": Told("gd|reduce_on_plateau", "a schedule, as torch has it"),
        "sam": Told("sam", "in opaque mode around sgd, with one step of normalized sgd as adversary"),
        "schedule_free": Told("", "around another optimizer"),
        "schedule_free_adamw": Told(
            "schedule_free_adamw", "judged at the point of gradients, or with average=True at the average"
        ),
        "schedule_free_eval_params": _NO_OPTIMIZER,
        "schedule_free_sgd": Told(
            "schedule_free_sgd", "judged at the point of gradients, or with average=True at the average"
        ),
        "simplified_ademamix": Told("simplified_ademamix", "weight_decay is the transform of this name"),
        "sophia": Told("", "asks for the Hessian's diagonal"),
        "split_real_and_imaginary": _NO_OPTIMIZER,
    },
}


def names(library: str) -> set[str]:
    """The optimizers of an installed library: what its namespace has of their kind.

    Of torch.optim these are the classes, of optax the functions with a learning rate, and of its contrib, where some
    wrap others, all functions that do not only scale.
    """
    module = importlib.import_module(library)
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    if library == "torch.optim":
        kinds = (value for value in public.values() if inspect.isclass(value) and value is not module.Optimizer)
        return {kind.__name__ for kind in kinds if issubclass(kind, module.Optimizer)}
    functions = {name: value for name, value in public.items() if isinstance(value, types.FunctionType | partial)}
    made = {name: value for name, value in functions.items() if not name.startswith("scale_by_")}
    return set(made) if library == "optax.contrib" else {name for name, value in made.items() if _has_a_rate(value)}


def _has_a_rate(function: object) -> bool:
    parameters = inspect.signature(function).parameters  # type: ignore[arg-type]
    return bool(parameters.keys() & {"learning_rate", "scaling"})
