"""Residues labelled per second: the predictor against other ways to run the same work, in one run.

The chains are those of the demonstration data. Every way is timed in turns, as often as
--repeats, beside the rates that the libraries reach on a large matrix product; medians count.
biotrainer, which has a process of its own, comes after them. All is measured for each number of
threads. Writes benchmarks/throughput.json. ONNX Runtime and OpenVINO are compared if they are
installed (pip install onnx onnxruntime openvino).

    python benchmarks/throughput.py --biotrainer BIOTRAINER/bin/python

The ways, all with the weights of ``protein-ss`` unless they are named otherwise:

* ``predictor``: :class:`grubio.inference.predictor.Predictor`, from records to calibrated
  probabilities.
* ``PyTorch eager``: ``torch.nn.GRU`` over padded batches of up to 16,000 residues of like length.
* ``torch.compile``, ``dynamic int8``, ``ONNX Runtime``, ``OpenVINO``: the same batches.
* ``... one by one``: a chain at a time, every tenth chain.
* ``S4PRED's shape``: five three-layer bidirectional GRUs of width 1024 over an embedding of 128,
  random weights, a chain at a time (Moffat and Jones, Bioinformatics 2021).
* ``biotrainer's one-hot CNN``: its own inference (benchmarks/biotrainer_speed.py). The network has
  some 6,500 weights, a three-hundredth of the others; docs/benchmarks.md has what it gets right.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from biotrainer_speed import biotrainer_rates
from grubio.fetching.embedded import embedded_path
from grubio.inference.predictor import Predictor
from grubio.model.batching import batches_by_length, padded_codes, padding_waste
from grubio.model.bundle import Bundle, load_bundle
from grubio.model.devices import use_threads
from grubio.model.labeller import model_of
from grubio.model.zoo import find_model
from grubio.readers.table import read_table
from grubio.sequences.record import Record
from grubio.study.matrix_rates import LARGE, MatrixRate, matrix_rates, median_rates, shares

ACCURATE, FAST = "protein-ss", "protein-ss-fast"
PADDED_RESIDUES = 16_000
RESULTS = Path(__file__).with_name("throughput.json")

Arrays = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


class S4PredShape(nn.Module):
    """Networks of the shape of S4PRED's, with random weights."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(22, 128)
        self.members = nn.ModuleList(
            nn.GRU(128, 1024, num_layers=3, bidirectional=True) for _ in range(5)
        )
        self.head = nn.Linear(2048, 3)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """Return mean logits ``(time, 1, 3)`` of codes ``(time, 1)``."""
        inputs = self.embedding(codes.long())
        return torch.stack([self.head(m(inputs)[0]) for m in self.members]).mean(dim=0)


class TwoOutputs(nn.Module):
    """A labeller whose answer is a plain pair, for export."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, codes: torch.Tensor, lengths: torch.Tensor) -> Any:
        """Return logits and accessibility."""
        answer = self.model(codes, lengths)
        return answer["labels"], answer["accessibility"]


def exported(bundle: Bundle, folder: Path, example: Arrays) -> Path:
    """Write a model as ONNX and return its path."""
    path = folder / "model.onnx"
    torch.onnx.export(
        TwoOutputs(model_of(bundle)),
        tuple(map(torch.from_numpy, example)),
        str(path),
        dynamo=False,
        opset_version=17,
        input_names=["codes", "lengths"],
        output_names=["logits", "accessibility"],
        dynamic_axes={
            "codes": {0: "time", 1: "batch"},
            "lengths": {0: "batch"},
            "logits": {0: "time", 1: "batch"},
            "accessibility": {0: "time", 1: "batch"},
        },
    )
    return path


def engines(bundle: Bundle, folder: Path, example: Arrays, threads: int) -> dict[str, Any]:
    """Return functions from a padded batch to logits ``(time, batch, class)``, by name."""
    model = model_of(bundle)
    quantized = torch.ao.quantization.quantize_dynamic(  # type: ignore[no-untyped-call]
        model, {nn.GRU, nn.Linear}, dtype=torch.qint8
    )
    compiled = torch.compile(model, dynamic=True)
    ways: dict[str, Any] = {}
    for name, network in (
        ("PyTorch eager", model),
        ("torch.compile", compiled),
        ("dynamic int8", quantized),
    ):
        ways[name] = lambda codes, lengths, network=network: network(
            torch.from_numpy(codes), torch.from_numpy(lengths)
        )["labels"].numpy()
    try:
        import onnx  # noqa: F401
    except ImportError:
        return ways
    path = exported(bundle, folder, example)
    try:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        ways["ONNX Runtime"] = lambda codes, lengths: session.run(
            ["logits"], {"codes": codes, "lengths": lengths}
        )[0]
    except ImportError:
        pass
    try:
        import openvino

        request = (
            openvino.Core()
            .compile_model(
                str(path),
                "CPU",
                {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"},
            )
            .create_infer_request()
        )
        ways["OpenVINO"] = lambda codes, lengths: request.infer(
            {"codes": codes, "lengths": lengths}
        )["logits"]
    except ImportError:
        pass
    return ways


def measured(threads: int, number: int, repeats: int, biotrainer: Path | None) -> dict[str, Any]:
    """Return the rates of all ways with some threads, and what follows of them."""
    use_threads(threads)
    torch._dynamo.reset()
    chains = list(read_table(embedded_path("pdb-demo")))
    # Evenly spaced over the file, so that the lengths are those of all.
    records = [
        chains[i] for i in np.linspace(0, len(chains) - 1, min(number, len(chains))).astype(int)
    ]
    few, fewest = records[::10], sorted(records, key=len)[len(records) // 2 :][:1]
    bundles = {name: load_bundle(find_model(name)) for name in (ACCURATE, FAST)}
    alphabet = bundles[ACCURATE].alphabet
    codes = [alphabet.encode(record.sequence) for record in records]
    plan = batches_by_length([len(c) for c in codes], PADDED_RESIDUES)
    batches = [padded_codes([codes[i] for i in batch], alphabet.pad_code) for batch in plan]
    singles = [padded_codes([alphabet.encode(r.sequence)], alphabet.pad_code) for r in few]
    ways: dict[str, tuple[Callable[[], object], int]] = {}

    def add(name: str, run: Callable[[], object], counted: list[Record]) -> None:
        ways[name] = run, sum(map(len, counted))

    predictors = {name: Predictor(bundle, "cpu", threads) for name, bundle in bundles.items()}
    accurate = predictors[ACCURATE]
    add("predictor", lambda: list(accurate.predict(records)), records)
    add(f"predictor, {FAST}", lambda: list(predictors[FAST].predict(records)), records)
    add("predictor, one by one", lambda: [list(accurate.predict([r])) for r in few], few)
    with tempfile.TemporaryDirectory() as scratch, torch.inference_mode():
        found = engines(bundles[ACCURATE], Path(scratch), batches[0], threads)
        for name, engine in found.items():
            add(name, partial(lambda run: [run(*batch) for batch in batches], engine), records)
        eager = found["PyTorch eager"]
        add("PyTorch eager, one by one", lambda: [eager(*single) for single in singles], few)
        if "ONNX Runtime" in found:
            runtime = found["ONNX Runtime"]
            add("ONNX Runtime, one by one", lambda: [runtime(*single) for single in singles], few)
        large = S4PredShape().eval()
        add(
            "S4PRED's shape, one by one",
            lambda: [large(torch.from_numpy(alphabet.encode(r.sequence))[:, None]) for r in fewest],
            fewest,
        )
        whole = [eager(*batch).argmax(axis=2) for batch in batches]
        coarse = [found["dynamic int8"](*batch).argmax(axis=2) for batch in batches]
        changed = sum(
            int((a != b)[np.arange(len(a))[:, None] < lengths].sum())
            for a, b, (_, lengths) in zip(whole, coarse, batches, strict=True)
        )
        rates: dict[str, list[float]] = {}
        products: list[list[MatrixRate]] = []
        for turn in range(repeats + 1):
            products.append(matrix_rates([LARGE], threads, seconds=0.5))
            for name, (run, residues) in ways.items():
                started = time.perf_counter()
                run()
                # The first turn warms up: it allocates, compiles and fills the caches.
                if turn:
                    rates.setdefault(name, []).append(residues / (time.perf_counter() - started))
    if biotrainer is not None:
        rates["biotrainer's one-hot CNN"] = biotrainer_rates(
            biotrainer, records, chains[:60], threads, repeats
        )
    medians = {name: statistics.median(values) for name, values in rates.items()}
    limits = median_rates(products)

    def useful(name: str, model: str) -> dict[str, float]:
        return shares(medians[name] * 2 * int(bundles[model].metadata["parameters"]), limits)

    return {
        "threads": threads,
        "chains": len(records),
        "residues": sum(map(len, records)),
        "torch": torch.__version__,
        "matrix_rates": [rate._asdict() for rate in limits],
        "residues_per_second": medians,
        "share_of_matrix_rate": {
            name: useful(name, FAST if name.endswith(FAST) else ACCURATE)
            for name in ways
            if not name.startswith("S4PRED")
        },
        "padding_of_padded_batches": padding_waste(plan, [len(c) for c in codes]),
        "labels_changed_by_int8": changed / sum(map(len, records)),
        "predictor_over": {
            name: medians["predictor"] / value
            for name, value in medians.items()
            if not name.startswith("predictor") or name.endswith("one by one")
        },
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--chains", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--biotrainer", type=Path, help="Python of an environment with biotrainer.")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    runs = [
        measured(threads, arguments.chains, arguments.repeats, arguments.biotrainer)
        for threads in arguments.threads
    ]
    RESULTS.write_text(json.dumps(runs, indent=1) + "\n")
    print(json.dumps(runs, indent=1))


if __name__ == "__main__":
    main()
