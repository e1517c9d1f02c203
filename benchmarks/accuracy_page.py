"""The page docs/benchmarks.md, from benchmarks/accuracy.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEAD = """# Benchmarks

How well the models of the zoo label proteins that they have never seen, from one sequence, beside
everything that we could run on the same files. Scores are by residue; in brackets, 95 % bootstrap
intervals over chains ({bootstrap:,} samples). SS3 is SS8 with H, G, I read as helix, E, B as strand
and the rest as coil. SOV is SOV'99, the mean over chains. Each set was read once for each model.

```sh
python benchmarks/peers.py --sets DIR --output results/peers --predictdssp PYTHON
python benchmarks/biotrainer_cnn.py --sets DIR --output results/peers --python PYTHON \\
    --train results/datasets/pdb-chains/split.parquet
python benchmarks/accuracy.py --sets DIR --train results/datasets/pdb-and-others/split.parquet \\
    --peers results/peers
python benchmarks/accuracy.py --page docs/benchmarks.md
```

`DIR` holds `cb513.tsv` (Cuff and Barton, Proteins 34:508, 1999) and `ts115.tsv` (the set of
NetSurfP-2.0), with columns id, sequence, SS8 labels and mask and no header line. The numbers behind
this page are in [`benchmarks/accuracy.json`](../benchmarks/accuracy.json).

"""

LEAK = """## Homologs in training

Before training, every chain was removed that MMseqs2 (`-s 7.5`) aligns to a chain of either set with an
E-value below 0.01, or with at least 25 % identity over any length (E up to 1). Data, split and removal are
those of `config/protein_ss.yaml`, which lists what was removed in `results/datasets/*/removed.tsv`. So were
the homologs of further test sets, 1,323 chains together. Of proteins with pseudo-labels those with such an
alignment were removed, and later, of further proteins and of homologs, those with one below E = 0.1. The window
logistic regression and the CNN of biotrainer learned from an earlier split of the chains with known
labels, from which only the homologs of the two sets above had been removed.

E-values are smaller in a smaller database, so what was left was searched again for all benchmark chains. In a
large one many short alignments have an E-value up to 1 by chance: that is what the reversed chains have.

| what the models learned from | records | chains with an alignment below E = 0.01 | with one of at least 25 % identity at E up to 1 | the same, chains reversed |
| --- | ---: | ---: | ---: | ---: |
{searches}
`protein-ss` went on with the records of the later rows, one pass each.

"""

SEARCHED = (
    "chains and labelled proteins",
    "chains, more labelled proteins, and homologs of both",
    "the same without homologs",
)
"""What was searched, in the order of the results."""

UNRELATED = """Without the chains that have any such alignment the scores are

| model | set | chains | Q3 | Q8 |
| --- | --- | ---: | ---: | ---: |
{rows}
"""

PUBLISHED = """## Published figures

Measured by others, on other splits and versions of the labels: a guide, not a race.

| predictor | set | Q3 | source |
| --- | --- | ---: | --- |
| S4PRED (5 networks, trained on a million pseudo-labelled sequences; on its own split) | CB513 | 75.3 | Moffat and Jones, Bioinformatics 37:3744 (2021) |
| SPOT-1D-Single | TEST2018 | 74.3 | Singh et al., Bioinformatics 37:3464 (2021) |
| SPIDER3-Single | TEST2018 | 72.6 | Heffernan et al., J. Comput. Chem. 39:2210 (2018); value as in Singh et al. |
| ProteinUnet | TEST2018 | 72.6 | Kotowski et al., J. Comput. Chem. 42:50 (2021); value as in Singh et al. |
| one-hot network of TAPE | CB513 | 69 | Rao et al., NeurIPS (2019) |
| NetSurfP-2.0, with profiles | TEST2018 | 85.4 | Klausen et al., Proteins 87:520 (2019); value as in Singh et al., Sci. Rep. 12:7607 (2022) |
| SPOT-1D, with profiles | TEST2018 | 86.2 | Hanson et al., Bioinformatics 35:2403 (2019); value as in Singh et al., Sci. Rep. 12:7607 (2022) |
| PSIPRED 2.45 without a profile, run by us elsewhere on the same files | CB513 | 67.3 | McGuffin et al., Bioinformatics 16:404 (2000) |
| PSIPRED 2.45 without a profile, run by us elsewhere on the same files | TS115 | 69.2 | the same |
"""

NAMES = {
    "reprof": "REPROF 1.0.1, no profile (Debian)",
    "garnier": "GOR I, `garnier` of EMBOSS (Debian)",
    "predictdssp": "PredictDSSP 1.3.1 (PyPI)",
    "biotrainer": "one-hot CNN of biotrainer (PyPI), trained by us",
}
TITLES = {"cb513": "CB513", "ts115": "TS115"}


def page(results: Mapping[str, Any]) -> str:
    """Return the page in Markdown."""
    text = HEAD.format(bootstrap=results["settings"]["bootstrap"])
    for name, title in TITLES.items():
        rows = [row for row in results["rows"] if row["set"] == name]
        rows.sort(key=lambda row: -row["q3"]["value"])
        first = rows[0]
        text += f"## {title}: {first['chains']} chains, {first['residues']:,} residues\n\n"
        text += "| predictor | Q3 | Q8 | SOV | MCC | F1 helix | F1 strand | F1 coil |\n"
        text += "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        text += "".join(_row(row) for row in rows) + "\n"
        text += "F1 of the eight classes:\n\n"
        fine = [row for row in rows if "f1_ss8" in row and "weights_sha256" in row]
        text += "| model | " + " | ".join(fine[0]["f1_ss8"]) + " |\n"
        text += "| --- |" + " ---: |" * len(fine[0]["f1_ss8"]) + "\n"
        for row in fine:
            values = (f"{100 * (one['value'] or 0):.1f}" for one in row["f1_ss8"].values())
            text += f"| {_name(row)} | " + " | ".join(values) + " |\n"
        text += "\n"
    searches = "".join(
        f"| {name} | {one['train']:,} | {one['significant']} of {one['queries']} "
        f"| {len(one['related'])} | {one.get('related_by_chance', '-')} |\n"
        for name, one in zip(SEARCHED, results["leak"], strict=True)
    )
    unrelated = "".join(
        f"| `{row['predictor']}` | {TITLES[row['set']]} | {row['unrelated']['chains']} "
        f"| {_interval(row['unrelated']['q3'])} | {_interval(row['unrelated']['q8'])} |\n"
        for row in results["rows"]
        if "unrelated" in row
    )
    return text + LEAK.format(searches=searches) + UNRELATED.format(rows=unrelated) + PUBLISHED


def _name(row: Mapping[str, Any]) -> str:
    if "weights_sha256" in row:
        return f"**`{row['predictor']}`** ({row['parameters']:,} weights)"
    predictor: str = row["predictor"]
    return NAMES.get(predictor, predictor)


def _row(row: Mapping[str, Any]) -> str:
    cells = [_name(row)]
    for score in ("q3", "q8", "sov"):
        one = row.get(score)
        cells.append(_interval(one) if one else "-")
    mcc = row["mcc"]["value"]
    cells.append("-" if mcc is None else f"{mcc:.3f}")
    cells += [f"{100 * (row['f1'][letter]['value'] or 0):.1f}" for letter in "HEC"]
    return "| " + " | ".join(cells) + " |\n"


def _interval(one: Mapping[str, float]) -> str:
    return f"{100 * one['value']:.1f} ({100 * one['low']:.1f}-{100 * one['high']:.1f})"
