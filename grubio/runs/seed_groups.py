"""Groups of runs that differ only in their seed, and tests between such groups.

Chains are the units: the score of a group on a chain is the mean over its runs, and two groups are
compared chain by chain on the same test set. The residues of a chain are not independent, and more
seeds do not make more chains.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from grubio.metrics.bootstrap import Score, bootstrap_weights, share
from grubio.runs.folder import Run

REPLICATES = 2000
"""Bootstrap samples of chains behind the interval of a difference."""

ADJUSTMENT = "Benjamini-Yekutieli"
"""Correction of the p-values of a comparison for multiple tests, valid under any dependence."""

_SEED = 1


@dataclass(frozen=True)
class RunGroup:
    """Runs with the same data, architecture and settings, whatever their seed.

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
    chains
        For each scored test chain, by id: the number of scored residues, and how many of them are
        right, averaged over the runs. Empty if a run lacks the table of its chains.
    """

    name: str
    runs: tuple[int, ...]
    seeds: tuple[str, ...]
    test_set: str
    score_key: str
    chain_key: str
    scores: npt.NDArray[np.float64]
    chains: Mapping[str, tuple[int, float]]

    @property
    def mean(self) -> float:
        """Mean score of the runs."""
        return float(self.scores.mean())

    @property
    def deviation(self) -> float | None:
        """Standard deviation over the runs (n - 1); None for one run."""
        return float(self.scores.std(ddof=1)) if len(self.scores) > 1 else None


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
    """

    first: str
    second: str
    test_set: str
    score_key: str
    chains: int
    difference: Score
    p_value: float
    adjusted: float


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
        )
        for (one, other), p_value, corrected in zip(pairs, p_values, adjusted, strict=True)
    ]


def _all_but_seed(run: Run, test_set: str) -> str:
    training = run.training
    facts = {
        "settings": {**(training.get("settings") or {}), "seed": None},
        "network": run.network,
        "alphabet": run.model.get("alphabet"),
        "scheme": run.scheme.name,
        "main": run.main.name,
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


def _mean_chains(runs: Sequence[Run]) -> dict[str, tuple[int, float]]:
    right: dict[str, list[float]] = {}
    scored: dict[str, int] = {}
    for run in runs:
        for chain in run.chains or []:
            if chain.score is not None and chain.scored:
                # The table has rounded shares; this is the number of residues that were right.
                # Of values the score of a chain is no share, and each chain counts the same.
                count = 1 if run.of_values else chain.scored
                one = chain.score if run.of_values else round(chain.score * count)
                right.setdefault(chain.id, []).append(one)
                scored[chain.id] = count
    return {
        name: (scored[name], sum(values) / len(values))
        for name, values in right.items()
        if len(values) == len(runs)
    }


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
