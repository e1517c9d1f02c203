"""Groups of runs that differ only in their seed, and tests between such groups.

Chains are the units (of a genome blocks, both strands together): the score of a group on a chain is
the mean over its runs, and two groups are compared chain by chain on the same test set. The
residues of a chain are not independent, and more seeds do not make more chains. A test over chains
asks whether these runs differ on other chains of the same kind; a test over seeds, whether other
runs with the same settings differ on these chains.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from grubio.config import TrainingSettings
from grubio.metrics.bootstrap import Score, bootstrap_weights, share
from grubio.runs.folder import Run
from grubio.sequences.locus import Locus

REPLICATES = 2000
"""Bootstrap samples of chains behind the interval of a difference."""

ADJUSTMENT = "Benjamini-Yekutieli"
"""Correction of the p-values of a comparison for multiple tests, valid under any dependence."""

_SEED = 1
_LEAST_SEEDS = 2


@dataclass(frozen=True)
class RunGroup:
    """Runs with the same data, architecture, settings and parent, whatever their seed.

    Attributes
    ----------
    name
        Name of the only run, or the common beginning of the names of the runs.
    runs
        Indices of the runs in the comparison.
    seeds
        Their seeds.
    test_set
        Short hash of the test chains.
    score_key, chain_key
        The headline score, and the score of a single chain.
    scores
        Headline score of each run, float64 ``(run,)``.
    whole
        Score :attr:`chain_key` of each run on the whole test set, float64 ``(run,)``.
    parameters
        Parameters of a run; None if it is not recorded.
    training_rate, labelling_rate
        Residues a second in training and in labelling, the mean over the runs; None if a run lacks
        it.
    reach
        Norm of the gradient by distance, the root mean square over the runs; empty if a run lacks
        it.
    chains
        For each scored test chain, or block of a genome: the number of scored residues, and how
        many of them are right, averaged over the runs. Empty if a run lacks the table of its
        chains.
    """

    name: str
    runs: tuple[int, ...]
    seeds: tuple[str, ...]
    test_set: str
    score_key: str
    chain_key: str
    scores: npt.NDArray[np.float64]
    chains: Mapping[str, tuple[int, float]]
    whole: npt.NDArray[np.float64]
    parameters: int | None = None
    training_rate: float | None = None
    labelling_rate: float | None = None
    reach: Mapping[int, float] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """Mean score of the runs."""
        return float(self.scores.mean())

    @property
    def deviation(self) -> float | None:
        """Standard deviation over the runs (n - 1); None for one run."""
        return float(self.scores.std(ddof=1)) if len(self.scores) > 1 else None


@dataclass(frozen=True)
class SeedTest:
    """The runs of two groups, paired by their seed.

    Attributes
    ----------
    seeds
        Number of seeds that both groups have.
    difference
        Mean over seeds of the score of the first on the whole test set minus that of the second,
        with the 95 % interval of Student's t.
    p_value
        Two-sided paired t-test.
    adjusted
        The p-value after :data:`ADJUSTMENT` over all such tests of the comparison.
    """

    seeds: int
    difference: Score
    p_value: float
    adjusted: float


@dataclass(frozen=True)
class PairedTest:
    """Two groups on the same test chains.

    Attributes
    ----------
    first, second
        Names of the groups.
    test_set
        Short hash of the test chains.
    score_key
        What is compared: the share of residues right in the scheme of the headline.
    chains
        Number of chains.
    difference
        Score of the first minus that of the second over all residues (of values: the mean over
        chains), with the 95 % percentile
        interval of a paired bootstrap over chains.
    p_value
        Two-sided Wilcoxon signed-rank test of the scores of the chains.
    adjusted
        The p-value after :data:`ADJUSTMENT` over all tests of the comparison.
    over_seeds
        The test over seeds; None if the groups have fewer than two seeds in common.
    """

    first: str
    second: str
    test_set: str
    score_key: str
    chains: int
    difference: Score
    p_value: float
    adjusted: float
    over_seeds: SeedTest | None = None


def grouped_runs(
    runs: Sequence[Run], names: Sequence[str], test_sets: Sequence[str]
) -> list[RunGroup]:
    """Return the groups in the order of their first runs; runs without a score are left out."""
    places: dict[str, list[int]] = {}
    for place, (run, test_set) in enumerate(zip(runs, test_sets, strict=True)):
        if run.score(run.score_key).value is not None:
            places.setdefault(_all_but_seed(run, test_set), []).append(place)
    groups: list[RunGroup] = []
    for found in places.values():
        mine = [runs[place] for place in found]
        name = _common_name([names[place] for place in found])
        if name in {group.name for group in groups}:
            name = names[found[0]]
        groups.append(
            RunGroup(
                name,
                tuple(found),
                tuple(str((run.training.get("settings") or {}).get("seed", "")) for run in mine),
                test_sets[found[0]],
                mine[0].score_key,
                mine[0].chain_key,
                np.array([run.score(run.score_key).value for run in mine], dtype=np.float64),
                _mean_chains(mine),
                np.array([_whole_score(run) for run in mine]),
                mine[0].model.get("parameters"),
                _mean_of_all([run.training_rate for run in mine]),
                _mean_of_all([run.labelling_rate for run in mine]),
                _mean_reach(mine),
            )
        )
    return groups


def paired_tests(groups: Sequence[RunGroup]) -> list[PairedTest]:
    """Return a test for every two groups with the same test set and score of a chain."""
    from scipy.stats import false_discovery_control

    pairs = [
        (one, other)
        for one, other in combinations(groups, 2)
        if one.test_set == other.test_set
        and one.chain_key == other.chain_key
        and one.chains
        and one.chains.keys() == other.chains.keys()
    ]
    if not pairs:
        return []
    p_values = [_wilcoxon(one, other) for one, other in pairs]
    adjusted = false_discovery_control(p_values, method="by")
    over_seeds = _seed_tests(pairs)
    return [
        PairedTest(
            one.name,
            other.name,
            one.test_set,
            one.chain_key,
            len(one.chains),
            _difference(one, other),
            p_value,
            float(corrected),
            of_seeds,
        )
        for (one, other), p_value, corrected, of_seeds in zip(
            pairs, p_values, adjusted, over_seeds, strict=True
        )
    ]


def _seed_tests(pairs: Sequence[tuple[RunGroup, RunGroup]]) -> list[SeedTest | None]:
    from scipy.stats import false_discovery_control, t

    tests: list[SeedTest | None] = []
    for one, other in pairs:
        more = _by_seed(one, other)
        # Without any spread the test is not defined.
        if len(more) < _LEAST_SEEDS or np.isclose(more, more[0], atol=1e-12).all():
            tests.append(None)
            continue
        mean, error = float(more.mean()), float(more.std(ddof=1) / np.sqrt(len(more)))
        half = float(t.ppf(0.975, len(more) - 1)) * error
        p_value = 2 * float(t.sf(abs(mean) / error, len(more) - 1))
        tests.append(SeedTest(len(more), Score(mean, mean - half, mean + half), p_value, p_value))
    known = [test for test in tests if test]
    adjusted = iter(false_discovery_control([test.p_value for test in known], method="by"))
    return [test and replace(test, adjusted=float(next(adjusted))) for test in tests]


def _by_seed(one: RunGroup, other: RunGroup) -> npt.NDArray[np.float64]:
    """Return how much more the first group has with each seed of both, ``(seed,)``."""
    theirs = dict(zip(other.seeds, other.whole, strict=True))
    mine = dict(zip(one.seeds, one.whole, strict=True))
    more = np.array([mine[seed] - theirs[seed] for seed in mine if seed in theirs])
    known: npt.NDArray[np.float64] = more[np.isfinite(more)]
    return known


def _all_but_seed(run: Run, test_set: str) -> str:
    training = run.training
    # A setting that an earlier version did not have is at its default; 0 is written as 0.0.
    defaults = TrainingSettings(**TrainingSettings().model_dump()).model_dump()
    facts = {
        "settings": {**defaults, **(training.get("settings") or {}), "seed": None},
        "network": run.network,
        "alphabet": run.model.get("alphabet"),
        "scheme": run.scheme.name,
        "main": run.main.name,
        "parent": (training.get("from") or {}).get("weights_sha256"),
        **{key: training.get(key) for key in ("dataset_sha256", "teacher_sha256", "members")},
    }
    return test_set + json.dumps(facts, sort_keys=True)


def _common_name(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    common = names[0]
    while not all(name.startswith(common) for name in names):
        common = common[:-1]
    return re.sub(r"seed[-_=]?\d*$", "", common).rstrip("._-") or names[0]


def _whole_score(run: Run) -> float:
    value = run.score(run.chain_key).value
    return np.nan if value is None else value


def _mean_of_all(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _mean_reach(runs: Sequence[Run]) -> dict[int, float]:
    squares: dict[int, list[float]] = {}
    for run in runs:
        for row in run.reach or []:
            squares.setdefault(row.distance, []).append(row.gradient**2)
    return {
        distance: float(np.sqrt(np.mean(values)))
        for distance, values in squares.items()
        if len(values) == len(runs)
    }


def _mean_chains(runs: Sequence[Run]) -> dict[str, tuple[int, float]]:
    right: dict[str, list[float]] = {}
    scored: dict[str, int] = {}
    for run in runs:
        for name, (count, own) in _units(run).items():
            right.setdefault(name, []).append(own)
            scored[name] = count
    return {
        name: (scored[name], sum(values) / len(values))
        for name, values in right.items()
        if len(values) == len(runs)
    }


def _units(run: Run) -> dict[str, tuple[int, float]]:
    # What is drawn as a whole: the chains, or the blocks of a genome, each with both strands.
    found: dict[str, tuple[int, float]] = {}
    for chain in run.chains or []:
        if chain.score is not None and chain.scored:
            # The table has rounded shares; this is the number of residues that were right.
            # Of values the score of a chain is no share, and each chain counts the same.
            count = 1 if run.of_values else chain.scored
            own = chain.score if run.of_values else round(chain.score * count)
            scored, right = found.get(name := _unit(chain.id), (0, 0.0))
            found[name] = scored + count, right + own
    return found


def _unit(record: str) -> str:
    try:
        return str(replace(Locus.from_id(record), strand="+"))
    except ValueError:
        return record


def _arrays(
    one: RunGroup, other: RunGroup
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    # Of each chain the scored residues, and how many more of them the first group has right.
    scored = np.array([scored for scored, _ in one.chains.values()], dtype=np.float64)
    more = [right - other.chains[name][1] for name, (_, right) in one.chains.items()]
    return scored, np.array(more, dtype=np.float64)


def _difference(one: RunGroup, other: RunGroup) -> Score:
    scored, more = _arrays(one, other)
    weights = bootstrap_weights(len(scored), REPLICATES, _SEED)
    return share(more, scored, weights).score


def _wilcoxon(one: RunGroup, other: RunGroup) -> float:
    from scipy.stats import wilcoxon

    scored, more = _arrays(one, other)
    # The test is not defined for groups that agree on every chain.
    return float(wilcoxon(more / scored).pvalue) if more.any() else 1.0
