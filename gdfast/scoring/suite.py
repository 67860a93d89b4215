"""The suites: versions of problems, budgets and targets. A suite that was released is not changed; another is added."""

from dataclasses import dataclass

from gdfast import notation
from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.problems import Problem


@dataclass(frozen=True)
class Task:
    """A problem with a budget.

    Attributes
    ----------
    problem : str
        In the notation of the command line.
    budget : int
        Steps.
    """

    problem: str
    budget: int

    def made(self) -> Problem:
        """The problem."""
        return notation.problem(self.problem)


@dataclass(frozen=True)
class Suite:
    """A version of the benchmark.

    Attributes
    ----------
    version : str
        Its name.
    tasks : tuple of Task
        What is run.
    targets : tuple of float
        Excesses, (loss − lowest) / the problem's loss scale, that are to be reached.
    starts : int
        How many starts are scored, and how many others the learning rate is chosen on.
    multiples : tuple of float
        Of the default learning rate, to choose from.
    """

    version: str
    tasks: tuple[Task, ...]
    targets: tuple[float, ...]
    starts: int
    multiples: tuple[float, ...]

    def starts_of(self, problem: Problem) -> Array:
        """The starts that the rate is chosen on, and then as many that are scored, ``float64[2 starts, d]``."""
        if hasattr(problem, "starts"):  # networks, whose weights are drawn by a scheme
            points: Array = problem.starts(seeds=range(2 * self.starts)).points
            return points
        return problem.random(2 * self.starts, seed=20261126)

    def lacks(self, optimizer: Optimizer) -> str | None:
        """Return what an optimizer needs and a task has not, the first of such, as part of a sentence."""
        needs = optimizer.needs
        for task in self.tasks if needs else ():
            provides = task.made().provides
            for need, what in needs.items():
                if need not in provides:
                    return f"needs {what}: {task.problem} has none"
        return None


SUITES = {
    suite.version: suite
    for suite in (
        Suite(
            "1",
            (
                Task("quadratic:condition=100,dimension=10", 2000),
                Task("quadratic:condition=10000,dimension=10,rotation=1", 2000),
                Task("trid:dimension=8", 2000),
                Task("rosenbrock", 2000),
                Task("powell", 2000),
                Task("beale", 2000),
                Task("himmelblau", 2000),
                Task("colville", 2000),
                Task("styblinski_tang", 2000),
                Task("rastrigin", 2000),
                Task("ackley", 2000),
                Task("scalar_factorization", 2000),
                Task("huber:threshold=0.1,dimension=4", 2000),
                Task("linear_regression:data=diabetes", 1000),
                Task("logistic_regression:data=iris,positive=virginica", 1000),
                Task("mlp", 1000),
            ),
            (1e-1, 1e-2, 1e-3, 1e-5),
            8,
            tuple(10.0 ** (k / 2) for k in range(-6, 7)),
        ),
    )
}
LATEST = "1"
