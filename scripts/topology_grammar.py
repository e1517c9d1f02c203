"""Give a model of ``config/protein_topology.yaml`` the stricter grammar that its predictions obey.

``python scripts/topology_grammar.py MODEL [MODEL ...]``

Helices of 16 to 32 residues, and three residues at least on a side. A protein whose known helix is
shorter or longer would be left out of training (one helix in ten is), so training has a looser one.

The logit of signal peptides is raised by 0.06, after which as many proteins are expected to have
one as do (the calibration that training makes is one over residues, and leaves too few): so for
networks of width 112, in four folds. No signal peptide, helix or barrel strand unless the
probability of one reaches a threshold somewhere, under which 2.0, 0.7 and 0.5 % of the proteins
without one are called so (``benchmarks/topology.py predict``), over all four folds, each labelled
by the model that did not see it.

Whole proteins are scored, so up to 2,000 residues are not told to be unlike training, which cuts
them. Weights stay as they are; ``model.json`` and the card change.
"""

import json
import re
import sys
from pathlib import Path

from grubio.files import write_text_whole
from grubio.model.bundle import CARD_FILE, METADATA_FILE, load_bundle, with_checksum
from grubio.sequences.grammar import grammar_from_dict

SIGNAL_OFFSET = 0.06
SCORED_LENGTH = 2_000
STRICTER = {
    "least": {"S": 10, "M": 16, "B": 5, "in": 3, "out": 3},
    "most": {"M": 32},
    "present": {"S": 0.412, "M": 0.913, "B": 0.78},
}


def main() -> None:
    """Change the models."""
    for folder in map(Path, sys.argv[1:]):
        bundle = load_bundle(folder)
        scheme = bundle.scheme
        if scheme.grammar is None:
            sys.exit(f"{folder} has no grammar")
        rules = scheme.grammar.as_dict() | STRICTER
        # It is checked before anything is written.
        grammar = grammar_from_dict(rules, scheme.letters)
        metadata = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))
        metadata["targets"][0]["scheme"]["grammar"] = grammar.as_dict()
        offsets = [SIGNAL_OFFSET * (letter == "S") for letter in scheme.letters]
        metadata["targets"][0]["offsets"] = offsets
        metadata["training"]["input"]["lengths"][1] = SCORED_LENGTH
        text = json.dumps(with_checksum(metadata), indent=2, sort_keys=True) + "\n"
        write_text_whole(folder / METADATA_FILE, text)
        card = (folder / CARD_FILE).read_text(encoding="utf-8")
        told = f"grammar `{json.dumps(grammar.as_dict())}`"
        before = re.findall("grammar `{[^`]*`", card)[0]
        write_text_whole(folder / CARD_FILE, card.replace(before, told))


if __name__ == "__main__":
    main()
