"""Networks that begin with the matrices of their sites rank as these do, before the first step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from grubio.config import ModelSettings, TrainingSettings
from grubio.datasets.parquet import DatasetHeader, write_dataset
from grubio.errors import GrubioError
from grubio.metrics.bootstrap import Estimate
from grubio.metrics.candidates import site_truth, strands_of
from grubio.metrics.pwm import ANY_CLASS, PWM, average_precision
from grubio.model.bundle import load_bundle
from grubio.model.engines.engine import engine_of
from grubio.model.labeller import Labeller, bundle_of
from grubio.motifs.matrices import meme_text
from grubio.sequences.alphabet import DNA, PROTEIN
from grubio.sequences.record import Record
from grubio.sequences.runs_and_peaks import site_scores
from grubio.sequences.scheme import SS3
from grubio.training.examples import TrainingData, load_training_data
from grubio.training.fitting import new_fitting
from grubio.training.motif_share import SHARES, choose_shares, least_share
from grubio.training.parent import load_parent
from grubio.training.stem_motifs import stem_motifs
from grubio.training.train import train_model
from synthetic_genome import MOTIF, SCHEME, WIDTH, genome_dataset

EVEN = np.full(4, 0.25)
RECORDS, HEADER = genome_dataset(10)
TRAIN = [record for record in RECORDS if record.split == "train"]
VALID = [record for record in RECORDS if record.split == "valid"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("motifs") / "dataset.parquet"
    write_dataset(path, HEADER, RECORDS)
    return path


def begun(dataset: Path, **model: object) -> tuple[Labeller, TrainingData]:
    settings = ModelSettings(**{"hidden_size": 8, "stem_channels": 4, "stem_width": 5, **model})  # type: ignore[arg-type]
    training = TrainingSettings(motifs="sites")
    data = load_training_data(dataset, settings, training)
    model_ = new_fitting(data, settings, training).model
    assert isinstance(model_, Labeller)
    return model_, data


def logits(model: Labeller, codes: np.ndarray) -> torch.Tensor:
    lengths = torch.tensor([len(codes)])
    return model(torch.from_numpy(codes).unsqueeze(1), lengths)["labels"][:, 0]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("channels", [0, 4])
def test_a_fresh_network_calls_the_sites_of_the_matrix(
    dataset: Path, layers: int, channels: int
) -> None:
    model, data = begun(dataset, layers=layers, stem_channels=channels)
    (motif,) = data.motifs
    model.eval()
    strands, ours = strands_of(RECORDS, SCHEME)[0], []
    for strand in strands:
        with torch.no_grad():
            shares = logits(model, DNA.encode(strand.sequence)).softmax(dim=1)[:, motif.index]
        ours.append(site_scores(shares.numpy(), WIDTH))
    theirs = [motif.pwm.scores(strand.sequence) for strand in strands]
    agreed = [b[a.argmax()] >= np.sort(b)[-2] for a, b in zip(ours, theirs, strict=True)]
    assert np.mean(agreed) >= 0.75
    truth = site_truth(strands, motif.index, WIDTH, ANY_CLASS)
    of_matrix = average_precision(strands, theirs, truth)
    assert average_precision(strands, ours, truth) == pytest.approx(of_matrix, abs=0.02)


def test_motifs_are_kept_and_other_filters_stay_narrow(dataset: Path) -> None:
    model, data = begun(dataset)
    stem = model.network.stem.convolution
    assert stem is not None
    before = stem.weight.detach().clone()
    width = stem.weight.shape[2]
    assert width > 5
    assert stem.weight.shape[0] == 4 + 2 * data.motifs[0].pwm.width + 1
    optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(2):
        # The first step changes the head alone: all but the motifs has no weight in it.
        logits(model, data.train[0].codes).square().sum().backward()
        optimiser.step()
    middle = slice((width - 5) // 2, (width + 5) // 2)
    changed = stem.weight.detach() != before
    assert changed[:4, :, middle].all()
    changed[:4, :, middle] = False
    assert not changed.any()
    assert not before[:4, :, : middle.start].any()


SHAPE = ModelSettings(hidden_size=8, layers=1, stem_channels=4, stem_width=5)
SHORT = TrainingSettings(
    motifs="sites", epochs=2, background_ratio=1, max_length=100, weight_decay=0.5, precision="32"
)


@pytest.fixture(scope="module")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    return train_model(dataset, folder, SHAPE, SHORT, device="cpu", threads=1)


def test_training_changes_neither_filters_nor_their_unit(dataset: Path, trained: Path) -> None:
    fresh = new_fitting(load_training_data(dataset, SHAPE, SHORT), SHAPE, SHORT)
    assert fresh.held is not None
    assert fresh.held.head is not None
    before = {name: value.numpy() for name, value in fresh.model.state_dict().items()}
    after = load_bundle(trained)
    filters, gates = "network.stem.convolution.weight", "network.layers.0.forwards.weight_ih_l0"
    for name, rows in ((filters, slice(4, None)), (gates, slice(None, None, 8))):
        np.testing.assert_array_equal(after.weights[name][rows], before[name][rows])
        assert not np.array_equal(after.weights[name][1], before[name][1])
    (of_class,) = after.metadata["training"]["motif_shares"].values()
    assert list(of_class["average_precision"]) == ["0", "0.25", "0.5", "0.75", "1"]
    assert of_class["share"] in SHARES


def test_what_was_learned_is_added_only_if_it_ranks_sites_better(dataset: Path) -> None:
    model, data = begun(dataset)
    head = model.heads[0]
    assert isinstance(head, torch.nn.Linear)
    first = head.weight.detach().clone(), head.bias.detach().clone()
    with torch.no_grad():
        head.weight.normal_(generator=torch.Generator().manual_seed(1)).mul_(20)
    (found,) = choose_shares(model, first, data.motifs, VALID, 1).values()
    assert found.share == 0
    assert found.average_precision[0] > found.average_precision[1]
    torch.testing.assert_close(head.weight.detach(), first[0])
    better = first[0].clone()
    # The other way round, what is learned is the matrix.
    (found,) = choose_shares(model, (-first[0], -first[1]), data.motifs, VALID, 1).values()
    assert found.share > 0.5
    torch.testing.assert_close(head.weight.detach(), better * (2 * found.share - 1))
    assert choose_shares(model, first, data.motifs, [], 1) == {}
    model.targets = (replace(model.targets[0], scheme=SS3),)
    assert choose_shares(model, first, data.motifs, VALID, 1) == {}


def test_the_outputs_of_the_background_are_those_of_the_classes(dataset: Path) -> None:
    model, data = begun(dataset)
    head = model.heads[0]
    assert isinstance(head, torch.nn.Linear)
    first = head.weight.detach().clone(), head.bias.detach().clone()
    (motif,) = data.motifs
    with torch.no_grad():
        # The same probabilities, with an output of the background.
        head.weight += torch.linspace(-1, 1, head.weight.shape[1])
        head.bias += 2
    choose_shares(model, (-first[0], -first[1]), data.motifs, VALID, 1)
    torch.testing.assert_close(head.bias[1 - motif.index].detach(), torch.tensor(0.0))
    assert head.weight[motif.index].argmax() == first[0][motif.index].argmax()


@pytest.mark.parametrize(
    ("behind", "expected"),
    [([0.5, 0.5], 1.0), ([0.5, -0.5], 0.5), ([3.0, -3.0], 0.0)],
    ids=["certain", "within the error of the half", "noise"],
)
def test_the_least_share_within_a_standard_error_is_taken(
    behind: list[float], expected: float
) -> None:
    best = np.array([10.0, 10.0])
    found = {
        0.0: Estimate(8.0, best - 2 - np.array(behind)),
        0.5: Estimate(9.6, best - 0.4 - np.array(behind)),
        1.0: Estimate(10.0, best),
    }
    assert least_share(found) == expected


def test_a_model_to_start_from_has_its_own_stem(
    dataset: Path, trained: Path, tmp_path: Path
) -> None:
    with pytest.raises(GrubioError, match="motifs: sites: the stem is that of the model"):
        train_model(dataset, tmp_path / "run", ModelSettings(), SHORT, parent=trained)
    start, plain = load_parent(trained, 1), TrainingSettings(background_ratio=1)
    assert start is not None
    settings = start.model_settings(ModelSettings())
    data = load_training_data(dataset, settings, plain)
    child = new_fitting(data, settings, plain, parent=start).model.state_dict()
    for name, weights in start.labeller.state_dict().items():
        torch.testing.assert_close(child[name], weights)


def test_a_changed_file_of_motifs_begins_a_new_training(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "known.meme", []

    def stop(folder: Path, fingerprint: str, *, writes: bool) -> None:
        seen.append(fingerprint)
        raise KeyboardInterrupt

    monkeypatch.setattr("grubio.training.train.checkpoint_to_resume", stop)
    for matrix in (MOTIF, MOTIF[::-1]):
        path.write_text(meme_text({"minus10": matrix}, {"minus10": 20}, EVEN))
        settings = TrainingSettings(motifs=str(path))
        shape = ModelSettings(hidden_size=4, layers=1, stem_channels=0)
        with pytest.raises(KeyboardInterrupt):
            train_model(dataset, tmp_path / "run", shape, settings, device="cpu", threads=1)
    assert seen[0] != seen[1]


def test_the_engine_of_a_cpu_computes_such_a_network(dataset: Path) -> None:
    model, data = begun(dataset)
    codes = data.train[0].codes[:300]
    with torch.no_grad():
        expected = logits(model.eval(), codes)
    found = engine_of(bundle_of(model, DNA))([codes])["labels"]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)


@pytest.mark.parametrize("network", ["conv", "lstm"])
def test_other_networks_begin_with_the_filters(dataset: Path, network: str) -> None:
    model, data = begun(dataset, network=network)
    stem = model.network.stem.convolution
    assert stem is not None
    filters, _ = data.motifs[0].filters(stem.weight.shape[2])
    torch.testing.assert_close(stem.weight.detach()[4:], torch.from_numpy(filters))


@pytest.mark.parametrize("turned", [False, True])
def test_a_file_of_motifs_is_turned_and_placed_as_the_sites_have_it(
    tmp_path: Path, turned: bool
) -> None:
    # Two more places before the site, which say nothing.
    matrix = np.concatenate([np.full((2, 4), 0.25), MOTIF])
    path = tmp_path / "known.meme"
    shown = matrix[::-1, ::-1] if turned else matrix
    path.write_text(meme_text({"any name": shown}, {"any name": 20}, EVEN))
    (motif,) = stem_motifs(str(path), HEADER, TRAIN, VALID)
    assert (motif.pwm.before, len(motif.pwm.log_odds)) == (2, 8)
    naive = PWM(np.log2(MOTIF / EVEN).astype(np.float32), 0, WIDTH)
    for record in VALID:
        own, expected = motif.pwm.scores(record.sequence), naive.scores(record.sequence)
        assert np.corrcoef(own, expected)[0, 1] > 0.95


def test_what_cannot_begin_with_motifs_says_why(tmp_path: Path) -> None:
    path = tmp_path / "two.meme"
    path.write_text(meme_text({"a": MOTIF, "b": MOTIF}, {"a": 9, "b": 9}, EVEN))
    with pytest.raises(GrubioError, match="has no motif for the class minus10, only a, b"):
        stem_motifs(str(path), HEADER, TRAIN, VALID)
    with pytest.raises(GrubioError, match="no such file"):
        stem_motifs(str(tmp_path / "none.meme"), HEADER, TRAIN, VALID)
    protein = DatasetHeader(PROTEIN, SS3, {})
    with pytest.raises(GrubioError, match="no classes of fixed width"):
        stem_motifs("sites", protein, [Record("a", "", "MK")], [])
