"""Add the grammar of a dataset's labels to a model that was trained on it without one.

python scripts/add_grammar.py MODEL DATASET [--strength STRENGTH]

Transitions are counted on the training records and their strength is chosen on the validation
records, as ``grubio train`` does it; with ``--strength`` all records count and nothing is chosen.
The weights stay as they are; ``model.json`` and the card change. The bundled models got theirs so:

grubio prepare data/pdb_chains.tsv.xz --format tsv --output chains.parquet
for name in protein-ss protein-ss-fast; do
    python scripts/add_grammar.py grubio/zoo/$name chains.parquet --strength 1.25
done

The strength is the one that the validation chains of the demonstration (config/config.yaml) chose.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from grubio.config import ModelSettings, TrainingSettings
from grubio.datasets.parquet import read_header, read_records
from grubio.files import write_text_whole
from grubio.model.batching import labelled_examples
from grubio.model.bundle import CARD_FILE, METADATA_FILE, load_bundle, with_checksum
from grubio.training.examples import load_training_data
from grubio.training.transitions import counted_transitions, label_answers, with_transitions

NOTE = """
## Grammar

Added after training, by `scripts/add_grammar.py`: `{rules}`. Transitions are counted on the
labels of {source}; their strength is {strength:g}, {chosen}. The
scores above are those without it; `docs/benchmarks.md` has those with it.
"""


def main() -> None:
    """Add the grammar to one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--strength", type=float)
    arguments = parser.parse_args()
    header, bundle = read_header(arguments.dataset), load_bundle(arguments.model)
    if header.scheme.grammar is None or header.scheme != bundle.scheme:
        parser.error("the dataset has no grammar, or other labels than the model")
    own = bundle.with_grammar(header.scheme.grammar)
    plain = replace(own.calibration(), transitions=None)
    if arguments.strength is None:
        data = load_training_data(arguments.dataset, ModelSettings(), TrainingSettings())
        answers = label_answers(
            replace(own, calibrations={}), read_records(arguments.dataset, "valid"), None
        )
        counted = counted_transitions(data.train, own.scheme)
        calibration, _ = with_transitions(plain, answers, own.scheme, counted)
    else:
        examples = [
            example
            for record in read_records(arguments.dataset)
            for example in labelled_examples(record, header.alphabet, header.scheme)
        ]
        counted = counted_transitions(examples, own.scheme)
        calibration = replace(plain, transitions=replace(counted, strength=arguments.strength))
    path = arguments.model / METADATA_FILE
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    transitions = asdict(calibration.transitions) if calibration.transitions else None
    rules = header.scheme.grammar.as_dict()
    if content["format"] == 1:
        content |= {"grammar": rules, "transitions": transitions}
    else:
        content["targets"][0]["scheme"]["grammar"] = rules
        content["targets"][0]["transitions"] = transitions
    write_text_whole(path, json.dumps(with_checksum(content), indent=2, sort_keys=True) + "\n")
    card = (arguments.model / CARD_FILE).read_text(encoding="utf-8").split("\n## Grammar\n")[0]
    note = NOTE.format(
        rules=json.dumps(rules),
        source=", ".join(f"`{name}`" for name in header.sources),
        strength=transitions["strength"] if transitions else 0,
        chosen="chosen on the validation records" if arguments.strength is None else "given",
    )
    write_text_whole(arguments.model / CARD_FILE, card.rstrip("\n") + "\n" + note)


if __name__ == "__main__":
    main()
