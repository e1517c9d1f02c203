"""The commands of grubio as data: help and completion read this table and import nothing else.

The command ``name`` is the function ``name`` of the module ``grubio.cli.name``, or the ``app`` of
that module if it has subcommands; :mod:`grubio.cli.lazy` imports the module when it is called.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """One command: its name, its panel in ``grubio --help``, and its one line of help."""

    name: str
    panel: str
    help: str


_PANELS = {
    "Use a model": {
        "predict": "Label every residue of new FASTA files.",
        "view": "Draw predictions as a page that needs no network.",
        "page": "Write a model as one HTML page that labels in the browser.",
        "plan": "Estimate the cost of a prediction: time, memory, shards, CPU-hours.",
        "models": "Show the models that are installed, or copy one.",
        "shards": "Predict in shards: cut the input, label each shard anywhere, gather the "
        "outputs.",
    },
    "Train a model": {
        "train": "Train a model on a dataset; an interrupted run is resumed.",
        "combine": "Average several models of the same targets into one.",
        "workflow": "Set up and run a study with Snakemake.",
    },
    "Data": {
        "fetch": "Fetch a file, check it, and print its path.",
        "prepare": "Read and check labelled sequences, or a genome, and write them as a dataset.",
        "profile": "Make profiles of proteins: search for homologs, or read alignments.",
        "split": "Split a dataset into train, valid and test without homologs between them.",
    },
    "Understand": {
        "evaluate": "Score a model on held-out chains, with intervals and baselines.",
        "pool": "Score the folds of a cross-validation together.",
        "report": "Write a report on a run: one HTML file that opens offline.",
        "crate": "Make the folder of a run an RO-Crate, with a model card for Hugging Face's hub.",
        "compare": "Compare runs: a table, and a figure and a page if asked for.",
        "summary": "Print the scores of evaluated runs and where their files are.",
        "motifs": "Draw what a DNA model has learned: logos and in-silico mutagenesis.",
    },
    "System": {
        "doctor": "Check what is installed and what it is needed for.",
        "cluster": "Submit and watch jobs of the workflow on LSF, SGE, PBS and HTCondor.",
    },
}
COMMANDS = [
    Entry(name, panel, text)
    for panel, commands in _PANELS.items()
    for name, text in commands.items()
]
