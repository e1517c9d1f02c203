"""The commands of grubio as data: help and completion read this table and import nothing else.

A command ``name`` is the function ``name`` of its module, or the ``app`` of its module if it has
commands of its own; :mod:`grubio.cli.lazy` imports the module when the command is called.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command: its name, its module, its panel in ``grubio --help``, and its one line."""

    name: str
    module: str
    panel: str
    help: str


USE = "Use a model"
TRAIN = "Train a model"
DATA = "Data"
UNDERSTAND = "Understand"
SYSTEM = "System"

COMMANDS = [
    Entry("predict", "grubio.cli.predict", USE, "Label every residue of new FASTA files."),
    Entry("view", "grubio.cli.view", USE, "Draw predictions as a page that needs no network."),
    Entry(
        "plan",
        "grubio.cli.plan",
        USE,
        "Say what a prediction will cost: time, memory, shards, CPU-hours.",
    ),
    Entry("models", "grubio.cli.models", USE, "Show the models that are installed."),
    Entry(
        "shards",
        "grubio.cli.shards",
        USE,
        "Predict in shards: cut the input, label each shard anywhere, gather the outputs.",
    ),
    Entry(
        "train",
        "grubio.cli.train",
        TRAIN,
        "Train a model on a dataset; an interrupted run is resumed.",
    ),
    Entry(
        "combine",
        "grubio.cli.combine",
        TRAIN,
        "Make one model of several of the same shape; its answer is the mean of theirs.",
    ),
    Entry("workflow", "grubio.cli.workflow", TRAIN, "Set up and run a study with Snakemake."),
    Entry("fetch", "grubio.cli.fetch", DATA, "Fetch a file, check it, and print where it is."),
    Entry(
        "prepare",
        "grubio.cli.prepare",
        DATA,
        "Read and check labelled sequences, or a genome, and write them as a dataset.",
    ),
    Entry(
        "split",
        "grubio.cli.split",
        DATA,
        "Divide a dataset into train, valid and test without homologs between them.",
    ),
    Entry(
        "evaluate",
        "grubio.cli.evaluate",
        UNDERSTAND,
        "Score a model on held-out chains, with intervals and beside baselines.",
    ),
    Entry(
        "report",
        "grubio.cli.report",
        UNDERSTAND,
        "Write what a run is worth as one HTML file that opens offline.",
    ),
    Entry(
        "compare",
        "grubio.cli.compare",
        UNDERSTAND,
        "Put runs side by side: a table, and a figure and a page if asked for.",
    ),
    Entry(
        "summary",
        "grubio.cli.summary",
        UNDERSTAND,
        "Print the scores of evaluated runs and where their files are.",
    ),
    Entry(
        "motifs",
        "grubio.cli.motifs",
        UNDERSTAND,
        "Draw what a DNA model has learned: logos and in-silico mutagenesis.",
    ),
    Entry(
        "doctor", "grubio.cli.doctor", SYSTEM, "Check what is installed and what it is needed for."
    ),
]
