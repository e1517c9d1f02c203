"""The page docs/experiments.md, from the results of benchmarks/experiments.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from grubio.metrics.bootstrap import bootstrap_weights
from grubio.model.bundle import load_metadata
from grubio.model.zoo import bundled_models
from grubio.sequences.scheme import SCHEMES
from paired import gain

REPLICATES, SEED = 2000, 1

HEAD = """# Experiment log

Which ideas raise the accuracy of a protein model, each at the same budget: {budget:,} residues
seen once, then scored on {chains} validation chains of the PDB ({residues:,}
residues, none with a homolog in training, none from a benchmark set). The gain is the difference
of Q3 from the base on the same chains, in points, with a 95 % bootstrap interval over chains; an
interval that holds 0 shows no difference. Intervals are over chains, not over seeds: the base with
another seed shows how far chance alone goes, and a gain no larger than that is none. Rates are of
one thread and vary with the machine's load. No test set was read for any of this.

A budget this small ranks ideas about learning speed well and ideas against overfitting badly:
dropout, augmentation and wide networks can only win in longer runs. The last table has those.

Made by

```sh
python benchmarks/experiments.py --dataset results/datasets/pdb-chains/split.parquet \\
    --output benchmarks/experiment_results
python benchmarks/experiments.py --output benchmarks/experiment_results --page docs/experiments.md
```

"""

NOTES = {
    "ten passes": "\nAs many residues, seen ten times; on another split, of {chains} validation chains.\n"
}
"""What is said below the table of a group."""

LONG = """## Long runs

What was trained to the end, with the score of the best validation (Q3 of the same chains). Runs of
`benchmarks/experiment_results/long/`: a `model.json` in a folder, or a file of the row itself.

| run | shape | parameters | data | training | passes | valid Q3 |
| --- | --- | ---: | --- | --- | ---: | ---: |
"""

VERDICT = """
(\\*) On another split, of 667 validation chains (660 for what started from `protein-ss`), which is easier:
do not compare these rows with the others. `wide` and `transferred` averaged have 74.53 there. On the benchmark sets, read once, that pair
has a Q3 of 73.2 (72.6-74.0) on CB513 and 75.5 (73.8-77.3) on TS115; the shipped `protein-ss`, with a
quarter of its weights, has 73.2 and 75.3. So it does not ship. With labels of relatives, a network of a
million weights scores as one of six million does without them. Nor may it ship: a last search found
alignments below E = 0.01 to the sequences that it had learned from for 185 of the 628 benchmark
chains. Homologs had been searched for once, among 1.4 million proteins, where E-values are larger.

`protein-ss-profile` reads a profile of homologs too, and its Q3 is that with the profiles of HHblits.
With the profile of each chain alone, which one sequence gives, the first of its networks that started from
nothing has 74.0, and the two of them 74.4 (\\*). What it was trained with (`profile_thinning`) neither helps nor harms where there are no
homologs: in the same two passes, a network of width 112 that was trained so has 73.70 with the profile
of the chain alone, and one that reads no profiles, but learns to predict them, 73.69 (a difference of
0.01, -0.25 to 0.25, over chains). With HHblits's profiles the former has 82.4. A network of the size of
a member that learned from profiles of a search in Swiss-Prot had 73.6 with the profile of the chain
alone and 75.8 with that search; that first network has 77.2 with it.

`all-depths-112` labelled proteins of Swiss-Prot, one of each family that has eight or more homologs there (by
the steps of `scripts/pseudo_labels.py`): 10 million residues in alignments of 8 to 151 sequences; the median is
57 in the first third. Networks without profiles that learned from them and from the PDB together beat
`alone-112`: in one pass, with 7.8 of the 10 million, `pseudo-112` by 0.24 (-0.02 to 0.49), and in two
`pseudo-192` by 0.67 (0.40 to 0.93; Q8 62.57 instead of 61.77), some of which is its width. Two more passes over
the PDB alone gain 0.12 after the one pass, and lose 0.24 after the two: known labels need no last word if they
were among the others all the time.

In what follows, `protein-ss` is the second one (`second-protein-ss`, commit 0b1c0c9), unless it is said to be
new. It learned in the same way from more of them: 55,093 proteins, 15.6 million residues, now without
1,683 that the last search aligned to a benchmark, validation or test chain. Its members, `more-pseudo-192`,
have 74.75 and 74.69. So for one network of a million weights the validation score goes from 74.0 (`wide`, six
times as large, without such proteins) to 74.3 with 31,655 proteins and to 74.7 with 55,093. What the proteins
are worth to a pair is best seen beside the former `protein-ss-profile` (commit eb593ed), which has the same size
and learned from the same chains without them, when it is given the profile of each chain alone
(`python benchmarks/paired.py FORMER protein-ss`):

| chains | former `protein-ss-profile` | `protein-ss` | gain |
| --- | ---: | ---: | ---: |
| validation, 667 | 74.39 | 74.90 | +0.51 (+0.28 to +0.75) |
| test, 802 | 73.50 | 74.08 | +0.58 (+0.38 to +0.78) |
| CB513, 513 | 72.99 | 73.33 | +0.34 (+0.12 to +0.56) |
| TS115, 115 | 75.36 | 75.19 | -0.16 (-0.63 to +0.26) |

Learning from the proteins afterwards does little for that `protein-ss-profile`: after one more pass, over 14,099
chains and 10,991 proteins, three in ten with the profile of their own sequence, the pair has 74.48 on validation
chains with that profile, 74.39 before, and 83.05 with HHblits's, 83.04 before. It does not ship.

To start from what has learned from them helps. Two networks that began as the members of `protein-ss`
(`profile-from-protein-ss`), and read profiles in three passes over the chains, are below the two from nothing with
HHblits's profiles, but the four together are not, and with the profile of each chain alone they are as good as
`protein-ss`: 74.86 beside 74.93 on 660 validation chains (-0.06, -0.25 to 0.13), and 74.13 beside 74.08 on the test
chains (0.04, -0.12 to 0.20), where the former two have 73.50 (`python benchmarks/paired.py protein-ss
protein-ss-profile --dataset split.parquet --split test`). The four ship.

What is made of an alignment matters little to `protein-ss-profile`. On 660 validation chains, each with its homologs
among 1.4 million proteins (MMseqs2 with the defaults of `grubio profile`; 24 in the median), the one that ships has a
Q3 of 81.30. The difference with other profiles of the same alignments (`python benchmarks/alignment_uses.py --dataset
split.parquet --database unlabelled.fasta`):

| profile | gain |
| --- | ---: |
| pseudocounts of weight 0.3 instead of 1 | -0.05 (-0.11 to +0.01) |
| 3 | -0.07 (-0.16 to +0.01) |
| 10, which is PSI-BLAST's | -0.30 (-0.44 to -0.16) |
| homologs that cover at least half of the chain | -0.12 (-0.21 to -0.04) |
| that cover three quarters | -0.35 (-0.50 to -0.19) |
| with 20 % identity or more | -0.01 (-0.05 to +0.03) |
| 30 % | -0.37 (-0.58 to -0.17) |
| with 95 % identity at most | +0.00 (-0.03 to +0.03) |
| the mean of four answers, of all homologs and of three random halves | -0.10 (-0.20 to +0.00) |
| the mean with `protein-ss`, which counts a fifth | +0.07 (-0.02 to +0.17) |

A model that had learned from alignments with PSI-BLAST's pseudocounts gains from fewer of them too: 0.23 (0.11
to 0.36) with a weight of 1. By scripts that were not kept: equal weights for all homologs lose 0.42 beside that, the
sequence itself counting as another 5 or 15 % gains 0.00 and loses 0.08, the effective number instead of the kinds of
residue changes nothing, and homologs up to E = 0.1 instead of 0.001 lose 0.13. With HHblits's frequencies, as an HHM
gives them, a weight of 1 has 83.05 and one of 10 has 82.61, without any 83.09. With the percentages that
PSI-BLAST writes beside its scores, rounded, it is as good as with the alignment, and with its scores 0.27 (0.14 to
0.40) worse. So pseudocounts have a weight of 1, and the percentages are read.

Six passes instead of two help where profiles are deep. Beside `profile-from-new-protein-ss-1`, training with
these pseudocounts (`profile-pseudocounts`) gains 0.08 (-0.05 to 0.21) with the alignments of 1.4 million proteins, and
made-up homologs that are aligned to stretches (`profile-stretches`) 0.17 (0.03 to 0.32); with HHblits's profiles both are
alike. Six such passes (`profile-six-passes-1`) gain 1.05 with HHblits's profiles, 0.50 with the alignments, and lose 0.19
with the profile of the chain alone. Twelve passes, with the profile of the chain alone three and a half times in ten
(`profile-twelve-passes`), are no better for one network: the first has 83.13 with HHblits's profiles, 80.51 with the
alignments and 73.79 with the profile of the chain alone, and `profile-six-passes-1` 83.26, 80.61 and 74.24. Means of them
are better: the two of twelve passes have 83.47, 81.07 and 74.62, and the four of six and of twelve
83.61, 81.21 and 74.87. The model that ships has one of six passes, the two of twelve, and one of the two from nothing:
83.64, 81.25 and 75.05. On validation chains it gains 0.31 (0.21 to 0.42) over the one before (`profile-stretches`, the two
of six passes, and that from nothing) with HHblits's profiles, 0.07 (-0.06 to 0.20) with the alignments, and 0.10 (-0.04
to 0.26) with the profile of the chain alone; with that it is 0.11 (-0.10 to 0.33) below `protein-ss`. It was
chosen among six such means by these scores.

More networks of one sequence, averaged, are no better than `protein-ss`, so that what it lacks is not to be had from
ensembles of its kind: with `protein-ss-fast` it gains 0.08 (-0.03 to 0.19) on these validation chains, with the
former `protein-ss-profile` -0.04 (-0.18 to 0.11), and with both -0.02 (-0.18 to 0.11;
`python benchmarks/paired.py protein-ss protein-ss+protein-ss-fast --dataset split.parquet`).

Over the former `protein-ss` (`earlier-protein-ss`) there is no gain: +0.15 (-0.08 to +0.40) on CB513 and -0.22
(-0.62 to +0.14) on TS115. That model had learned from some 900 chains of the PDB more, which are homologs of
further test sets; the new one can be tested on those too.

Homologs of what is labelled were tried as further training sequences (`families-*`): parts of up to five for
each of the PDB's chains and of 78,239 labelled proteins, 86 million residues, with the labels of what they are
aligned with. In a pass, each family gives one sequence, its own or a homolog. Seven networks were trained side by side on
one H100, eleven minutes each, by forerunners of `scripts/homologs.py` and `scripts/train_on_gpu.py`:

- Width does not matter any more. 371,241 weights have 74.55, six million 74.70.
- A network that has seen parts alone does not know the ends of a chain. On the ten residues at either end it
  has 74.3 to 75.0, and `more-pseudo-192-1` 76.7; in between 74.6 and 74.5. One more pass over whole
  sequences mends it: `families-112` has 74.83 after it, as much as the shipped pair of width 192, with a fifth of
  its weights, `families-192` 74.88, and `families-256-1` 74.69. The three together have 75.37.
- They do not ship. Homologs of benchmark and held-out chains had been removed from the proteins that were
  searched (46,573 of 1.3 million), and yet the last search aligned 75 of the 628 benchmark chains below E = 0.01 to
  what was learned from. Among so many proteins, chance hits take the places of weak ones in the prefilter
  of MMseqs2. The harm is small: over the shipped `protein-ss`, `families-112` after its last pass gains 0.20 (-0.23
  to 0.68) on the 100 chains of CB513 that are aligned to anything, and -0.03 (-0.32 to 0.24) on the other 413. Of the
  validation chains 17 have such an alignment; on the 610 without any, the shipped pair has 74.82, that network
  74.84, and the three together 75.31. What is to be trained on has to be searched itself, before, as the scripts
  do now.

The new `protein-ss` went on from the second one, with 73,047 labelled proteins and 349,732 homologs of them and of
the chains (`scripts/pseudo_labels.py`, `scripts/homologs.py`). A pass over chains, proteins and 109,509 of the
homologs, 50.6 million residues, gains nothing: the pair `homologs-192` has 74.84 on 660 validation chains, -0.09
(-0.29 to 0.11). Another pass, over chains and proteins alone, does, and that pair ships:

| chains | second | new | gain | of chains without any alignment |
| --- | ---: | ---: | ---: | ---: |
| validation, 660 | 74.93 | 75.17 | +0.24 (+0.07 to +0.42) | +0.28 (+0.05 to +0.52), 443 chains |
| test, 802 | 74.08 | 74.37 | +0.28 (+0.12 to +0.44) | |
| CB513, 513 | 73.33 | 73.79 | +0.46 (+0.26 to +0.66) | +0.43 (+0.18 to +0.71), 249 chains |
| TS115, 115 | 75.19 | 75.79 | +0.60 (+0.25 to +0.96) | +0.34 (-0.10 to +0.82), 57 chains |

The last column leaves out the chains that a last search aligned to anything that was learned from, below E = 0.01 or
with at least 25 % identity at E up to 1 (3 of the validation chains, none of a benchmark set, have the former). So
the gain does not come from homologs. The second and the new one together, four networks at half the rate, have 75.22:
not worth it. Two networks that began as the members of the new one (`profile-from-new-protein-ss`), and read profiles
in two passes, replace those of `protein-ss-profile` that began as the second: on validation chains it gains 0.10
(-0.01 to 0.22) with the alignments of 1.4 million proteins, -0.03 (-0.12 to 0.06) with HHblits's, and 0.19 (0.06 to
0.33) with the profile of the chain alone.

The new `protein-ss-fast` is the second one (`second-protein-ss-fast`, 74.48) after two more passes over chains and proteins: 74.61 after the
first (`second-fast`), and 74.79 after the second, at half the rate (0.31, 0.08 to 0.54; with another order of the
data 74.77, `third-fast-1`). On the test chains it gains 0.35 (0.17 to 0.52), on CB513 0.46 (0.24 to 0.68), and on TS115 0.18
(-0.21 to 0.58).

Means of weights ([Wortsman et al. 2022](https://doi.org/10.48550/arXiv.2203.05482)) gain nothing here, by a script
that was not kept. Each member of `protein-ss` averaged with its two forerunners, at 0.6, 0.2 and 0.2, has 0.15 (0.04 to
0.26) and 0.10 (-0.02 to 0.20) more, but the pair of these has 75.18, as it has without. The mean of the weights of the
two orders of `protein-ss-fast` has 74.79, and that of their probabilities 74.80. For
[topology](experiments_topology.md) they do help.

At ten passes attention gains nothing either, and three normalised, residual layers nothing for certain, for 1.8
times the time.
"""


def page(folder: Path, ideas: Mapping[str, Any], budget: int) -> str:
    """Return the page in Markdown."""
    results = {
        name: json.loads((folder / f"{name}.json").read_text())
        for name in ideas
        if (folder / f"{name}.json").exists()
    }
    counts = np.array(results["base"]["counts"])
    text = HEAD.format(budget=budget, chains=len(counts), residues=int(counts[:, 2].sum()))
    for group in dict.fromkeys(ideas[name].group for name in results):
        text += f"## {group.capitalize()}\n\n"
        text += "| idea | Q3 | gain in Q3 | Q8 | parameters | residues/s | |\n"
        text += "| --- | ---: | ---: | ---: | ---: | ---: | --- |\n"
        own = [name for name in results if ideas[name].group == group]
        for name in own:
            idea = ideas[name]
            base = None if name == idea.base else np.array(results[idea.base]["counts"])
            text += _row(idea, results[name], base)
        text += NOTES.get(group, "").format(chains=len(results[own[0]]["counts"])) + "\n"
    text += LONG + "".join(_long_rows(folder, len(counts))) + VERDICT
    return text


@cache
def _weights(chains: int) -> np.ndarray:
    return bootstrap_weights(chains, REPLICATES, SEED)


def _row(idea: Any, result: Mapping[str, Any], base: np.ndarray | None) -> str:
    counts = np.array(result["counts"])
    q3, q8 = (100 * counts[:, i].sum() / counts[:, 2].sum() for i in (0, 1))
    more = "-"
    if base is not None:
        more = gain(counts, base, _weights(len(base)))
    rate = f"{result['residues_per_second']:,.0f}" if result["residues_per_second"] else "-"
    return (
        f"| {idea.text} | {q3:.2f} | {more} | {q8:.2f} | {result['parameters']:,} "
        f"| {rate} | {idea.verdict} |\n"
    )


@dataclass(frozen=True)
class LongRun:
    """A run that was trained to the end, as a file of ``long/`` has it.

    Attributes
    ----------
    run
        Its name.
    shape
        The network, in words.
    parameters
        Number of weights.
    data
        What it was trained on, in words.
    training
        Settings that differ from the defaults, in words.
    passes
        Passes over the data.
    valid_q3
        Q3 of the best validation, in percent.
    """

    run: str
    shape: str
    parameters: int
    data: str
    training: str
    passes: float
    valid_q3: float

    @property
    def row(self) -> str:
        """The row of the table."""
        return (
            f"| {self.run} | {self.shape} | {self.parameters:,} | {self.data} | {self.training} "
            f"| {self.passes:g} | {self.valid_q3:.2f} |\n"
        )


def _long_rows(folder: Path, chains: int) -> list[str]:
    models = {path.parent.name: path.parent for path in sorted(folder.glob("long/*/model.json"))}
    shipped = {f"`{name}` (shipped)": path for name, path in bundled_models().items()}
    read = {name: load_metadata(path) for name, path in {**models, **shipped}.items()}
    runs = [_run_of(name, found, chains) for name, found in read.items() if _is_of_structure(found)]
    told = [LongRun(**json.loads(path.read_text())) for path in sorted(folder.glob("long/*.json"))]
    return [run.row for run in [*told, *runs]]


def _is_of_structure(metadata: Mapping[str, Any]) -> bool:
    scheme = metadata["targets"][0].get("scheme") or {}
    return metadata["alphabet"] == "protein" and scheme.get("name") in SCHEMES


def _run_of(name: str, metadata: Mapping[str, Any], chains: int) -> LongRun:
    # ``chains`` are the validation chains of the rows that are not marked.
    shape, training = metadata["network"]["settings"], metadata["training"]
    settings, members = training["settings"], metadata["members"]
    told = [
        f"{key} {settings[key]}"
        for key in ("learning_rate", "homolog_augmentation", "profile_weight")
        if settings.get(key)
    ]
    if training.get("teacher_sha256"):
        told.append("taught by `protein-ss`")
    other_split = "" if training["valid_chains"] == chains else r" (\*)"
    return LongRun(
        name,
        f"{f'{members} x ' if members > 1 else ''}{shape['layers']} layers, width "
        f"{shape['hidden_size']}",
        metadata["parameters"],
        (training.get("trained_on") or "PDB, NSP2") + other_split,
        ", ".join(told),
        training["epochs_run"],
        100 * training["valid_score"],
    )
