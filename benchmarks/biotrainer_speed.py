"""Residues per second of biotrainer's own inference with its one-hot CNN; see throughput.py.

biotrainer is on PyPI and is best given an environment of its own. Its CNN is trained for one epoch
by its own trainer, which is not timed, and then asked by its own ``Inferencer``: one-hot
embeddings from its embedding service, classes by ``from_embeddings``.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from biotrainer_cnn import cnn_config
from grubio.sequences.record import Record

PROGRAM = """
import json, sys, time
import torch
from biotrainer.embedders import get_embedding_service
from biotrainer.inference import Inferencer
from biotrainer.utilities.executer import parse_config_file_and_execute_run

config, sequences, threads, repeats, answer = json.load(open(sys.argv[1]))
torch.set_num_threads(threads)
parse_config_file_and_execute_run(config)
service = get_embedding_service("one_hot_encoding", None, device="cpu")
inferencer, _ = Inferencer.create_from_out_file(config["output_dir"] + "/out.yml")
residues, rates = sum(map(len, sequences)), []
for turn in range(repeats + 1):
    started = time.perf_counter()
    found = service.generate_embeddings(sequences, reduce=False)
    embeddings = {record.seq_id: embedding for record, embedding in found}
    labels = inferencer.from_embeddings(embeddings)["mapped_predictions"]
    taken = time.perf_counter() - started
    assert sum(map(len, labels.values())) == residues
    if turn:
        rates.append(residues / taken)
json.dump(rates, open(answer, "w"))
"""


def biotrainer_rates(
    python: Path, records: Sequence[Record], learned: Sequence[Record], threads: int, repeats: int
) -> list[float]:
    """Return the rate of each repeat, after one that warms up.

    Parameters
    ----------
    python
        Interpreter of an environment with biotrainer.
    records
        What is labelled.
    learned
        Labelled chains that the CNN is trained on.

    Raises
    ------
    RuntimeError
        If biotrainer fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        chains, work, answer = (Path(scratch, name) for name in ("chains.fasta", "work", "rates"))
        entries = [
            f">c{number} TARGET={(record.labels or '').replace('?', 'C')} "
            f"SET={('train', 'val', 'test')[number % 3]}\n{record.sequence}\n"
            for number, record in enumerate(learned)
        ]
        chains.write_text("".join(entries))
        config = cnn_config(chains, Path(scratch, "run"), epochs=1)
        sequences = [record.sequence for record in records]
        work.write_text(json.dumps([config, sequences, threads, repeats, str(answer)]))
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        environment.pop("PYTHONPATH", None)
        done = subprocess.run(
            # Not resolved: that would lead out of the environment.
            [python.absolute(), "-c", PROGRAM, str(work)],
            env=environment,
            cwd=scratch,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"biotrainer failed: {done.stdout[-2000:]}")
        rates: list[float] = json.loads(answer.read_text())
        return rates
