"""Add the grammar of a dataset's labels to a model that was trained on it without one.

python scripts/add_grammar.py MODEL DATASET

Transitions are counted on the training records and their strength is chosen on the validation
records, as ``grubio train`` does it. The weights stay as they are; ``model.json`` and the card
change. The bundled models got theirs so, from the split dataset of ``config/protein_ss.yaml``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from grubio.config import ModelSettings, TrainingSettings
from grubio.datasets.parquet import read_records
from grubio.files import write_text_whole
from grubio.model.bundle import CARD_FILE, METADATA_FILE, load_bundle, with_checksum
from grubio.training.examples import load_training_data
from grubio.training.transitions import counted_transitions, label_answers, with_transitions

NOTE = """
## Grammar

Added after training, by `scripts/add_grammar.py`, from the dataset of this study: `{rules}`;
transitions counted on the training labels, of strength {strength:g}, chosen on the validation
chains. The calibration error there is {error:.2f} % with it.
"""


def main() -> None:
    """Add the grammar to one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("dataset", type=Path)
    arguments = parser.parse_args()
    data = load_training_data(arguments.dataset, ModelSettings(), TrainingSettings())
    scheme, bundle = data.header.scheme, load_bundle(arguments.model)
    if scheme.grammar is None:
        parser.error("the dataset has no grammar")
    own = bundle.with_grammar(scheme.grammar)
    answers = label_answers(
        replace(own, calibrations={}), read_records(arguments.dataset, "valid"), None
    )
    calibration, error = with_transitions(
        replace(own.calibration(), transitions=None),
        answers,
        own.scheme,
        counted_transitions(data.train, own.scheme),
    )
    path = arguments.model / METADATA_FILE
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    transitions = asdict(calibration.transitions) if calibration.transitions else None
    rules = scheme.grammar.as_dict()
    if content["format"] == 1:
        content |= {"grammar": rules, "transitions": transitions}
    else:
        content["targets"][0]["scheme"]["grammar"] = rules
        content["targets"][0]["transitions"] = transitions
    write_text_whole(path, json.dumps(with_checksum(content), indent=2, sort_keys=True) + "\n")
    card = (arguments.model / CARD_FILE).read_text(encoding="utf-8").split("\n## Grammar\n")[0]
    strength = transitions["strength"] if transitions else 0
    note = NOTE.format(rules=json.dumps(rules), strength=strength, error=100 * error)
    write_text_whole(arguments.model / CARD_FILE, card.rstrip("\n") + "\n" + note)
    print(f"{arguments.model}: strength {strength:g}, calibration error {100 * error:.2f} %")


if __name__ == "__main__":
    main()
