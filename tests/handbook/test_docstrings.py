"""Docstrings of public names have the sections of numpydoc: every parameter, what is returned, in their order."""

import dataclasses
import enum
import inspect

import pytest

from gdfast import catalogues
from gdfast.handbook import api
from gdfast.plot import Look

numpydoc = pytest.importorskip("numpydoc.validate", reason="needs numpydoc; pip install 'gdfast[docs]'")

CODES = {
    "GL06": "an unknown section",
    "GL07": "sections in another order",
    "PR01": "a parameter that is not told",
    "PR02": "a parameter that there is not",
    "PR03": "parameters in another order",
    "PR04": "a parameter without a type",
    "PR07": "a parameter without a description",
    "PR10": "no space before the colon of a type",
    "RT01": "what is returned is not told",
    "RT03": "what is returned has no description",
    "YD01": "what is given one after the other is not told",
}
FACTORIES = {f"gdfast.{kind}.{name}" for kind in catalogues.KINDS for name in catalogues.catalogue(kind)}
"""Each returns what its catalogue is of, as its signature and its page say."""

EXCEPTIONS = {
    # Optimizers' side of a run, which tiles call and users do not; each sentence tells the array or the refusal.
    "gdfast.optimizers.Optimizer.check": {"PR01", "RT01"},
    "gdfast.optimizers.Optimizer.check_call": {"PR01"},
    "gdfast.optimizers.Optimizer.columns": {"PR01", "RT01"},
    "gdfast.optimizers.Optimizer.content": {"RT01"},
    "gdfast.optimizers.Optimizer.multipliers": {"PR01", "RT01"},
    "gdfast.optimizers.Optimizer.preconditioners": {"RT01"},
}


def members(told):
    """The names in a section of a docstring; one line may have several."""
    return {name.strip() for line in told for name in line.name.split(",")}


def faults(name, value):
    """What numpydoc finds, less what it cannot know."""
    found = {code for code, _ in numpydoc.validate(name)["errors"]} & set(CODES)
    docstring = numpydoc.get_doc_object(numpydoc.Validator._load_obj(name))
    if inspect.isclass(value) and issubclass(value, enum.Enum):
        return found - {"PR01"}  # nobody makes one of its parameters, which are enum's
    if "**look" in members(docstring["Parameters"]):  # stands for the arguments of `Look`, which are told there
        told = members(docstring["Parameters"]) - {"**look"} | set(Look.__annotations__)
        found -= {"PR01", "PR02"} if told == set(inspect.signature(value).parameters) else set()
    is_record = dataclasses.is_dataclass(value) or (inspect.isclass(value) and issubclass(value, tuple))
    if inspect.isclass(value) and "PR01" in found:
        wanted = {p.name for p in inspect.signature(value).parameters.values() if not p.name.startswith("_")}
        is_told = wanted <= members(docstring["Parameters"]) | (
            members(docstring["Attributes"]) if is_record else set()
        )
        found -= {"PR01"} if is_told else set()  # records tell their fields; arguments of no name are no parameters
    return found - {"RT01"} if name in FACTORIES else found


PUBLIC = {
    name: value
    for name, value in api.public()
    if (callable(value) or isinstance(value, classmethod)) and not inspect.ismodule(value) and name not in EXCEPTIONS
}


def test_every_parameter_and_what_is_returned_is_told():
    found = {name: sorted(wrong) for name, value in PUBLIC.items() if (wrong := faults(name, value))}
    assert found == {}, CODES


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exceptions_are_needed(name):
    kind, _, method = name.rpartition(".")
    assert faults(name, getattr(dict(api.public())[kind], method)) == EXCEPTIONS[name]


def test_a_parameter_that_is_not_told_is_found(monkeypatch):
    from gdfast import analysis

    text = analysis.summary.__doc__
    monkeypatch.setattr(analysis.summary, "__doc__", text.replace("share : float", "shares : float"))
    assert faults("gdfast.analysis.summary", analysis.summary) == {"PR01", "PR02"}
    monkeypatch.setattr(analysis.summary, "__doc__", text[: text.index("    Returns")])
    assert faults("gdfast.analysis.summary", analysis.summary) == {"RT01"}
