"""Which rule of gdfast each optimizer of other libraries is; imports nothing from gdfast.

`OPTIMIZERS` tells it in gdfast's notation: of `WHOLE` libraries of all that `names` finds where they are installed.
"""

import importlib
import inspect
import types
from functools import partial
from typing import NamedTuple


class Told(NamedTuple):
    """What an optimizer of another library is: gdfast's notation, several with spaces between, and what to know.

    What is `within` another optimizer of its library was compared as a part of it.
    """

    notation: str = ""
    note: str = ""
    within: str = ""

    @property
    def told(self) -> str:
        """The note that is published."""
        return "; ".join(each for each in (f"within {self.within}" if self.within else "", self.note) if each)


_NO_OPTIMIZER = Told("", "no optimizer")
_STATES = Told("", "schedules of hyperparameters stand in their place in notation")

_ONE_VECTOR = Told("", "all coordinates are one vector here")
_GROUPS = Told("", "chooses among parameters")
_OF_ONES_OWN = Told("", "is made of functions of one's own; a rule of one's own is an optimizer here")
_KEPT = Told("", "keeps what histories record here")
_ENDS = Told("", "a point that is not finite ends a trajectory here, as diverged")
_THE_BAR = Told("", "what a vertical bar does in notation")

_PARTS = {
    "MultiSteps": Told("", "sums the gradients of several batches: a larger batch"),
    "adaptive_grad_clip": Told("", "clips by the sizes of the rows of matrices"),
    "add_decayed_weights": Told("gd|l2", "before the learning rate l2, after it weight_decay"),
    "add_noise": Told("gd|noise:gamma=0.55", "with other random numbers; eta is the square of sigma"),
    "apply_every": Told("", "sums several updates before it makes them"),
    "apply_if_finite": _ENDS,
    "centralize": Told("", "the transform of this name, of a unit's inputs, which are columns here and rows there"),
    "chain": _THE_BAR,
    "clip": Told("gd|clip_value"),
    "clip_by_block_rms": Told("gd|clip_norm:eps=0", "max_norm is its threshold times the root of the dimension"),
    "clip_by_global_norm": Told("gd|clip_norm:eps=0"),
    "conditionally_mask": _OF_ONES_OWN,
    "conditionally_transform": _OF_ONES_OWN,
    "ema": Told("qhm:momentum=0.9,nu=1", "before the learning rate, with debias=False"),
    "flatten": _ONE_VECTOR,
    "freeze": _GROUPS,
    "identity": Told("", "makes the gradient the update"),
    "inject_hyperparams": _STATES,
    "inject_stateful_hyperparams": _STATES,
    "keep_params_nonnegative": Told("gd|box:low=0,high=1e+300", "around any optimizer"),
    "lookahead": Told("gd|lookahead", "around any optimizer; judged at the fast weights"),
    "masked": Told("", "transforms with of=matrices are masked to leave biases as they are"),
    "measure_with_ema": _KEPT,
    "multi_transform": _GROUPS,
    "named_chain": _THE_BAR,
    "normalize_by_update_norm": Told("gd|normalize"),
    "partition": _GROUPS,
    "scale": Told("gd", "with the sign of the update", "sgd"),
    "scale_by_adadelta": Told("adadelta", within="adadelta"),
    "scale_by_adam": Told("adam", within="adam"),
    "scale_by_adamax": Told("adamax", within="adamax"),
    "scale_by_adan": Told("", "within adan, which is another rule"),
    "scale_by_amsgrad": Told("amsgrad:debias_first=True", within="amsgrad"),
    "scale_by_backtracking_linesearch": Told("steepest_descent:growth=1.5", "after sgd; increase_factor is growth"),
    "scale_by_belief": Told("adabelief", within="adabelief"),
    "scale_by_distance_over_gradients": Told("", "the rule of optax.contrib.dog, with r_eps = reps_rel (1 + ‖θ₀‖)"),
    "scale_by_factored_rms": Told("adafactor:eps1=1e-15", within="adafactor"),
    "scale_by_lbfgs": Told("lbfgs:search=fixed,least=0,euclidean=True", within="lbfgs"),
    "scale_by_learning_rate": Told("gd", within="sgd"),
    "scale_by_lion": Told("lion", within="lion"),
    "scale_by_novograd": Told("novograd", within="novograd"),
    "scale_by_optimistic_gradient": Told("optimistic_gd", within="optimistic_gradient_descent"),
    "scale_by_param_block_norm": Told("", "within lars and fromage, with a least norm"),
    "scale_by_param_block_rms": Told("adafactor:eps1=1e-15", within="adafactor"),
    "scale_by_polyak": Told("polyak_sgd", within="polyak_sgd"),
    "scale_by_radam": Told("radam:debias_first=True", within="radam"),
    "scale_by_rms": Told("rmsprop:alpha=0.9,eps_in_sqrt=True", within="rmsprop"),
    "scale_by_rprop": Told("", "within rprop, which is another rule"),
    "scale_by_rss": Told("adagrad:initial_accumulator_value=0.1,eps=1e-07,eps_in_sqrt=True", within="adagrad"),
    "scale_by_schedule": Told("", "any schedule of the learning rate"),
    "scale_by_sign": Told("signsgd", within="sign_sgd"),
    "scale_by_sm3": Told("sm3", "of vectors; of matrices it keeps less", "sm3"),
    "scale_by_stddev": Told("rmsprop:alpha=0.9,centered=True,eps_in_sqrt=True", within="rmsprop"),
    "scale_by_trust_ratio": Told("lars lamb", "the first where it divides by the gradient's norm", "lars lamb"),
    "scale_by_yogi": Told("yogi", within="yogi"),
    "scale_by_zoom_linesearch": Told(
        "steepest_descent:search=zoom,growth=1",
        "after sgd, with 20 steps at most; with initial_guess_strategy=one growth=1e9",
    ),
    "selective_transform": _GROUPS,
    "set_to_zero": Told("", "makes no update"),
    "snapshot": _KEPT,
    "stateless": _OF_ONES_OWN,
    "stateless_with_tree_map": _OF_ONES_OWN,
    "trace": Told("momentum nesterov", within="sgd"),
    "with_extra_args_support": _OF_ONES_OWN,
    "zero_nans": _ENDS,
}
"""What optax's optimizers are made of."""


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
        "lbfgs": Told(
            "lbfgs:search=zoom,least=0,euclidean=True lbfgs:search=fixed,least=0,euclidean=True",
            "the second with linesearch=None",
        ),
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
        **_PARTS,
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
        "galore": Told("galore:rank=128", "around Adam; signs of singular vectors are LAPACK's"),
        "hutchinson_estimator_diag_hessian": _NO_OPTIMIZER,
        "madgrad": Told("madgrad"),
        "mechanize": Told("", "the transform mechanic, around any optimizer"),
        "momo": Told("momo", "its lower bound is the loss of the lowest minimum, and is not adapted"),
        "momo_adam": Told("momo_adam", "its lower bound is the loss of the lowest minimum, and is not adapted"),
        "muon": Told("muon:weight_decay=0,eps=0,adam_eps=0,debias=True", "with its default of preconditioning"),
        "normalize": Told("gd|normalize", "a transform"),
        "prodigy": Told("prodigy", "without safeguard_warmup"),
        "reduce_on_plateau": Told("gd|reduce_on_plateau", "a schedule, as torch has it"),
        "sam": Told("sam adam|sam momentum|sam", "around any optimizer, with one step of normalized sgd as adversary"),
        "scale_by_acprop": Told("acprop", within="acprop"),
        "scale_by_ademamix": Told("ademamix", within="ademamix"),
        "scale_by_adopt": Told("adopt", within="adopt"),
        "scale_by_cocob": Told("cocob", within="cocob"),
        "scale_by_galore": Told("galore:rank=128", "of matrices", "galore"),
        "scale_by_madgrad": Told("madgrad", within="madgrad"),
        "scale_by_muon": Told("muon:weight_decay=0,eps=0,adam_eps=0,debias=True", "of matrices", "muon"),
        "scale_by_simplified_ademamix": Told("simplified_ademamix", within="simplified_ademamix"),
        "schedule_free": Told("", "around another optimizer"),
        "schedule_free_adamw": Told(
            "schedule_free_adamw", "judged at the point of gradients, or with average=True at the average"
        ),
        "schedule_free_eval_params": _NO_OPTIMIZER,
        "schedule_free_sgd": Told(
            "schedule_free_sgd", "judged at the point of gradients, or with average=True at the average"
        ),
        "simplified_ademamix": Told("simplified_ademamix", "weight_decay is the transform of this name"),
        "sophia": Told(
            "sophia:eps=1e-08,debias=True,late=True|weight_decay:weight=0.0001",
            "its estimates of the Hessian's diagonal are by other random numbers",
        ),
        "split_real_and_imaginary": _NO_OPTIMIZER,
    },
    "pytorch_optimizer": {
        "ADOPT": Told("adopt", "with clip_lambda=lambda step: (step - 1)**0.25"),
        "AdEMAMix": Told("ademamix"),
        "AdaBelief": Told("adabelief", "with rectify=False"),
        "AdaBound": Told("adabound"),
        "AdaHessian": Told(
            "adahessian:eps=1e-16", "its estimates of the Hessian's diagonal are by other random numbers"
        ),
        "Adai": Told("adai"),
        "Adan": Told("adan"),
        "AggMo": Told("aggmo"),
        "DiffGrad": Told("diffgrad"),
        "FTRL": Told("ftrl"),
        "Grams": Told("grams"),
        "LaProp": Told("laprop", "which adds 1e-15 to v"),
        "Lion": Told("lion"),
        "MADGRAD": Told("madgrad"),
        "MARS": Told("mars", "with optimize_1d=True"),
        "PAdam": Told("padam"),
        "PNM": Told("pnm"),
        "Prodigy": Told("prodigy:bias_correction=False"),
        "QHAdam": Told("qhadam"),
        "QHM": Told("qhm"),
        "Ranger": Told(
            "radam:beta1=0.95,eps=1e-05|centralize|lookahead:k=6",
            "with degenerated_to_sgd=True, without which it goes uphill at first",
        ),
        "SAM": Told("momentum|sam adam|sam", "around any optimizer; with perturb_eps=0"),
        "SGDW": Told("gd|weight_decay"),
        "Shampoo": Told("shampoo", "of matrices"),
        "SignSGD": Told("signum"),
        "SOAP": Told("soap", "with QR in float64 in place of float32"),
        "SophiaH": Told("sophia:gamma=1,rho=0.01", "likewise, of normal ones; weight_decay is the transform"),
        "StableAdamW": Told("stable_adamw"),
        "Tiger": Told("tiger"),
        "Yogi": Told("yogi", "with adam_debias=False"),
    },
    "schedulefree": {
        "AdamWScheduleFree": Told("schedule_free_adamw"),
        "SGDScheduleFree": Told("schedule_free_sgd"),
    },
}

WHOLE = "torch.optim", "optax", "optax.contrib"


def names(library: str) -> set[str]:
    """The optimizers of an installed library: what its namespace has of their kind.

    Of optax these are the functions with a learning rate or a transform of gradients as result, of its contrib, where
    some do not tell their result, all functions, of other libraries the classes of optimizers.
    """
    module = importlib.import_module(library)
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    if not library.startswith("optax"):
        base = importlib.import_module("torch.optim").Optimizer
        kinds = (value for value in public.values() if inspect.isclass(value) and value is not base)
        return {kind.__name__ for kind in kinds if issubclass(kind, base)}
    functions = {name: value for name, value in public.items() if isinstance(value, types.FunctionType | partial)}
    wrappers = {name for name, value in public.items() if hasattr(value, "gradient_transformation")}
    if library == "optax.contrib":
        return {*functions, *wrappers}
    transforms = {name for name, value in functions.items() if name.startswith("scale_by_") or _transforms(value)}
    return transforms | wrappers


def _transforms(function: object) -> bool:
    signature = inspect.signature(function)  # type: ignore[arg-type]
    told = str(signature.return_annotation)
    return "GradientTransformation" in told or bool(signature.parameters.keys() & {"learning_rate", "scaling"})
