from __future__ import annotations

import gzip
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from grubio.config import Output, PredictionSettings
from grubio.config.formats import FORMATS, formats_of
from grubio.fetching.embedded import embedded_path
from grubio.inference.predictor import Predictor
from grubio.model.bundle import load_bundle
from grubio.model.engines.packed_rows import Codes, Frequencies
from grubio.model.engines.padded import PaddedEngine
from grubio.model.outputs import Outputs
from grubio.model.zoo import bundled_models, default_model, find_model
from grubio.prediction.predict_file import predict_file
from grubio.readers.fasta import read_fasta
from grubio.sequences.alphabet import DNA, PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.scheme import SS3

Runner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def predictor(run_folder: Path) -> Predictor:
    return Predictor(load_bundle(run_folder / "model"), "cpu", 1)


def random_records(count: int, seed: int, longest: int = 399) -> list[Record]:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, longest + 1, count)
    return [
        Record(f"r{i}", "", "".join(generator.choice(list(PROTEIN.codes), n)))
        for i, n in enumerate(lengths)
    ]


def test_records_come_back_once_each_in_order_and_the_same_as_alone(predictor: Predictor) -> None:
    records = random_records(150, 1)
    together = list(predictor.predict(records))
    assert [p.record.id for p in together] == [r.id for r in records]
    for prediction in together:
        assert prediction.probabilities.shape == (len(prediction.record), 8)
        assert np.allclose(prediction.probabilities.sum(axis=1), 1, atol=1e-5)
    for prediction in together[::10]:
        (alone,) = predictor.predict([prediction.record])
        assert np.array_equal(alone.probabilities, prediction.probabilities)


def test_the_network_itself_which_computes_on_a_gpu_says_the_same_but_for_rounding(
    predictor: Predictor, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = random_records(40, 3)
    plain = Predictor(load_bundle(run_folder / "model"), "cpu", 1)
    monkeypatch.setattr(plain, "_engine", PaddedEngine(plain.bundle, plain.device))
    for one, other in zip(predictor.predict(records), plain.predict(records), strict=True):
        assert one.record == other.record
        assert np.allclose(one.probabilities, other.probabilities, atol=1e-5)


def test_shards_and_order_change_nothing(predictor: Predictor) -> None:
    records = random_records(60, 2)
    whole = {p.record.id: p.probabilities for p in predictor.predict(records)}
    shards = [p for start in range(0, 60, 7) for p in predictor.predict(records[start : start + 7])]
    turned = list(predictor.predict(records[::-1]))
    for prediction in (*shards, *turned):
        assert np.array_equal(prediction.probabilities, whole[prediction.record.id])


def test_the_number_of_threads_changes_nothing(run_folder: Path) -> None:
    import torch

    bundle, records = load_bundle(run_folder / "model"), random_records(300, 4)
    before = torch.get_num_threads(), threadpool_info()
    one, two = (list(Predictor(bundle, "cpu", n).predict(records)) for n in (1, 2))
    assert (torch.get_num_threads(), threadpool_info()) == before
    for first, second in zip(one, two, strict=True):
        assert first.record is second.record
        assert np.array_equal(first.probabilities, second.probabilities)


@pytest.mark.parametrize(("records", "elsewhere"), [(1, False), (300, True)])
def test_a_single_batch_starts_no_thread(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, records: int, elsewhere: bool
) -> None:
    predictor = Predictor(load_bundle(run_folder / "model"), "cpu", 2)
    compute, threads = predictor._engine, set[int]()

    def noted(sequences: Sequence[Codes], profiles: Sequence[Frequencies] | None = None) -> Outputs:
        threads.add(threading.get_ident())
        return compute(sequences, profiles)

    monkeypatch.setattr(predictor, "_engine", noted)
    assert len(list(predictor.predict(random_records(records, 5)))) == records
    assert (threads != {threading.get_ident()}) == elsewhere


@pytest.mark.parametrize("name", ["protein-ss-fast", "protein-ss"])
@settings(max_examples=15)
@given(data=st.data())
def test_no_neighbour_changes_a_bit(name: str, data: st.DataObject) -> None:
    predictor = Predictor(load_bundle(find_model(name)), "cpu", 1)
    one = Record("probe", "", data.draw(st.text("ACDEFGHIKLMNPQRSTVWYX", min_size=1, max_size=90)))
    seed, count = data.draw(st.integers(0, 10**6)), data.draw(st.integers(0, 40))
    others = random_records(count, seed, longest=data.draw(st.sampled_from([1, 2, 5, 100])))
    place = data.draw(st.integers(0, count))
    (alone,) = predictor.predict([one])
    among = list(predictor.predict([*others[:place], one, *others[place:]]))[place]
    assert np.array_equal(alone.probabilities, among.probabilities)
    assert [target.name for target in alone.additional] == ["accessibility"]
    for target, values in alone.additional.items():
        assert np.array_equal(values, among.additional[target])


def test_a_stream_is_read_no_further_than_it_has_to_be(predictor: Predictor) -> None:
    read = 0

    def stream():
        nonlocal read
        for record in random_records(40, 3) * 1000:
            read += 1
            yield record

    next(predictor.predict(stream()))
    assert read < 10_000


def test_titin_is_labelled(predictor: Predictor) -> None:
    (prediction,) = predictor.predict([Record("titin", "", "MKTAYIAKQR" * 4000)])
    assert len(prediction.labels(SS3)) == 40_000


def test_probabilities_of_a_reduction_are_sums(predictor: Predictor) -> None:
    (prediction,) = predictor.predict([Record("a", "", "MKTAYIAKQRQISFVK")])
    helix = prediction.probabilities[:, :3].sum(axis=1)
    assert np.allclose(prediction.reduced(SS3)[:, 0], helix, atol=1e-6)


def test_all_outputs_are_written_in_one_pass(run_folder: Path, tmp_path: Path) -> None:
    outputs = [
        Output(str(tmp_path / f"o.{kind}"), kind)
        for kind in formats_of("sequences")
        if not FORMATS[kind].topology
    ]
    source = embedded_path("example-proteins")
    tally = predict_file(str(source), outputs, run_folder / "model", PredictionSettings(threads=1))
    records = list(read_fasta(source))
    assert tally.kept == len(records) == 8
    lines = (tmp_path / "o.tsv").read_text().splitlines()
    assert len(lines) == 1 + sum(len(r) for r in records)
    labels = (tmp_path / "o.fasta").read_text().split()
    assert labels[::2] == [f">{r.id}" for r in records]
    assert all((tmp_path / f"o.{kind}").exists() for kind in ("ss2", "horiz", "gff3", "parquet"))


def test_standard_input_and_output(grubio: Runner, tmp_path: Path) -> None:
    fasta = ">a\nMKTAYIAKQRQISFVKSHFSRQ\n"
    done = grubio("predict", "-", "--format", "fasta", "--threads", "1", input=fasta)
    assert done.returncode == 0, done.stderr
    name, labels = done.stdout.split()
    assert name == ">a"
    assert len(labels) == 22
    assert set(labels) <= set("HEC")
    (tmp_path / "a.fa.gz").write_bytes(gzip.compress(fasta.encode()))
    assert grubio("predict", "a.fa.gz", "--format", "fasta").stdout == done.stdout


def test_eight_states_on_request(grubio: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(">a\nMKTAYIAKQR\n")
    done = grubio("predict", "a.fa", "--scheme", "ss8")
    assert done.stdout.splitlines()[0].split("\t")[4:] == [*(f"p_{c}" for c in "HGIEBTSC"), "rsa"]


def test_a_folder_gets_a_file_per_record(grubio: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(">sp|P1|A\nMKTAY\n>b\nMKT\n")
    done = grubio("predict", "a.fa", "--output", "out/", "--format", "horiz")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["b.horiz", "sp_P1_A.horiz"]


def test_threads_are_obeyed(run_folder: Path) -> None:
    import torch

    Predictor(load_bundle(run_folder / "model"), "cpu", 1)
    assert torch.get_num_threads() == 1


def test_bundled_models_load_and_are_listed(grubio: Runner) -> None:
    done = grubio("models", "list")
    for name, folder in bundled_models().items():
        assert name in done.stdout
        assert load_bundle(folder).alphabet is (DNA if name.startswith("ecoli") else PROTEIN)
        assert find_model(name) == folder
        shown = grubio("models", "show", name)
        assert "Training data" in shown.stdout
        network = "conv" if name == "ecoli-promoters" else "gru"
        assert f"network is `{network}`" in shown.stdout
        assert "to the last bit" in shown.stdout
    assert default_model(PROTEIN).name == "protein-ss"


def test_the_bundled_model_knows_a_helix_and_a_strand() -> None:
    bundle = load_bundle(find_model("protein-ss"))
    helix = Record("helix", "", "GSAEAAAKEAAAKEAAAKEAAAKAGS")
    (prediction,) = Predictor(bundle, "cpu", 1).predict([helix])
    assert prediction.labels(SS3)[6:20] == "H" * 14


def test_dna_gets_the_bundled_dna_model(grubio: Runner, tmp_path: Path) -> None:
    assert default_model(DNA).name == "ecoli-promoters"
    # A consensus promoter: -35 box, 17 bases, -10 box, and a start seven bases on.
    promoter = "TTGACA" + "ATTAATCATCGGCTCGA" + "TATAAT" + "GTGTGGA"
    flank = "GCCGGCGATCTGGCGAAACGCCTGGAAGCGCTGGGC"
    contig = flank * 4 + promoter + flank * 4
    (tmp_path / "a.fa").write_text(f">contig\n{contig}\n")
    grubio("predict", "a.fa", "--output", "sites.bed", "--min-score", "0.05")
    rows = [line.split("\t") for line in (tmp_path / "sites.bed").read_text().splitlines()]
    found = [int(row[1]) for row in rows if row[3] == "minus10" and row[5] == "+"]
    # Its calls may lie one base beside the box.
    assert any(abs(start - contig.index("TATAAT")) <= 1 for start in found)
