from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY
from grubio.config import (
    Config,
    ModelSettings,
    PrepareSettings,
    ReportSettings,
    TrainingSettings,
    genome_scheme,
)
from grubio.config.loading import as_options, checked, content_of, load_config
from grubio.config.sources import copy_in
from grubio.errors import GrubioError


def study(**changes: Any) -> dict[str, Any]:
    return {
        "datasets": {"d": {"records": "pdb-demo", "prepare": {"format": "tsv"}}},
        "runs": {"r": {"dataset": "d"}},
        **changes,
    }


def genome_study(prepare: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    rules = {"format": "genome", "classes": {"k": {"feature": "x"}}, **(prepare or {})}
    dataset = {"records": "g.fna", "annotation": "g.gff", "prepare": rules, **changes}
    return {"datasets": {"d": dataset}}


def genome_rule(**rule: Any) -> dict[str, Any]:
    return genome_study({"classes": {"k": {"feature": "x", **rule}}})


def test_runs_take_what_they_leave_out_from_the_shared_groups() -> None:
    config = checked(
        Config,
        study(
            training={"epochs": 3, "seed": 7},
            runs={"a": {"dataset": "d"}, "b": {"dataset": "d", "training": {"seed": 8}}},
        ),
    )
    assert (config.runs["a"].training.epochs, config.runs["a"].training.seed) == (3, 7)
    assert (config.runs["b"].training.epochs, config.runs["b"].training.seed) == (3, 8)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"trainig": {}}, ["trainig: unknown key", "did you mean 'training'"]),
        ({"training": {"epoch": 3}}, ["training.epoch: unknown key (value 3)", "'epochs'"]),
        ({"training": {"epochs": 0}}, ["training.epochs", "greater than or equal to 1", "got 0"]),
        ({"training": {"epochs": True}}, ["training.epochs: a number was expected, got true"]),
        ({"training": {"learning_rate": math.inf}}, ["training.learning_rate", "finite number"]),
        ({"training": {"gradient_clip": math.inf}}, ["training.gradient_clip", "finite number"]),
        ({"training": {"seed": 10**20}}, ["training.seed", "less than or equal to 4294967295"]),
        ({"evaluation": {"seed": 10**20}}, ["evaluation.seed", "less than or equal to"]),
        (
            {"runs": {"b": {"dataset": "d"}, "a": {"dataset": "d", "members": ["b", "b"]}}},
            ["runs.a.members: 'b' occurs twice"],
        ),
        ({"runs": {"comparison.tsv": {"dataset": "d"}}}, ["cannot be called 'comparison.tsv'"]),
        ({"training": {"epochs": "many"}}, ["training.epochs", "integer", '"many"']),
        ({"model": {"dropout": 1.5}}, ["model.dropout", "less than 1", "1.5"]),
        ({"device": "gpu"}, ["device", "'cuda'", '"gpu"']),
        ({"runs": {"r": {"dataset": "e"}}}, ["runs.r.dataset", "no dataset 'e'"]),
        ({"runs": {"r": {}}}, ["runs.r.dataset: this key is required"]),
        ({"runs": {"a/b": {"dataset": "d"}}}, ["runs.a/b"]),
        (
            {"runs": {"a": {"dataset": "d", "average_weights": True}}},
            ["runs.a.average_weights: there are no `members`"],
        ),
        (
            {
                "runs": {
                    "a": {"dataset": "d"},
                    "b": {"dataset": "d", "from": "a"},
                    "c": {"dataset": "d", "members": ["a", "b"], "average_weights": True},
                }
            },
            ["runs.c.average_weights: 'a' starts from no model"],
        ),
        (
            {"runs": {"a": {"dataset": "d", "members": ["b", "c"], "training": {"epochs": 3}}}},
            ["runs.a.training.epochs: the models of `members` are averaged", "in those runs"],
        ),
        (
            {"runs": {"a": {"dataset": "d", "members": ["b", "c"], "model": {"layers": 3}}}},
            ["runs.a.model.layers: the models of `members` are averaged"],
        ),
        ({"runs": {"datasets": {"dataset": "d"}}}, ["'datasets'"]),
        ({"datasets": {"d": {"records": "pdb:1UB"}}}, ["'1UB' is no accession of pdb"]),
        ({"datasets": {"d": {"records": "a.fa"}}}, ["format 'fasta' needs labels"]),
        (
            {
                "datasets": {
                    "d": {"records": "a.tsv", "prepare": {"format": "tsv"}, "annotation": "x"}
                }
            },
            ["datasets.d", "format 'tsv' takes no annotation"],
        ),
        (genome_study(annotation=[]), ["datasets.d", "format 'genome' needs annotation"]),
        (genome_study(exclude="x"), ["datasets.d", "format 'genome' takes no exclude"]),
        (genome_study(labels="x"), ["datasets.d", "format 'genome' takes no labels"]),
        (genome_study({"classes": {}}), ["datasets.d.prepare", "needs classes"]),
        (genome_study({"alphabet": "protein"}), ["datasets.d.prepare", "needs alphabet dna"]),
        (genome_study({"format": "tsv"}), ["datasets.d.prepare", "'tsv' takes no classes"]),
        (genome_rule(ofset=[1, 2]), ["classes.k.ofset: unknown key", "did you mean 'offset'"]),
        (genome_rule(offset=[2, 1]), ["classes.k", "lies after the last"]),
        (genome_rule(offset=[1, 2, 3]), ["classes.k.offset"]),
        (genome_rule(boundary="start"), ["classes.k", "boundary and bases go together"]),
        (genome_rule(boundary="start", bases=1, offset=[1, 2]), ["classes.k", "not both"]),
        (genome_rule(letter="."), ["datasets.d.prepare", "'.' is taken twice"]),
        (genome_rule(letter="?"), ["datasets.d.prepare", "'?' cannot be a label letter"]),
        (genome_rule(letter="AB"), ["classes.k.letter"]),
        (genome_rule(feature=[]), ["classes.k.feature"]),
        ({"prediction": {"formats": ["tsv", "tsv"]}}, ["prediction.formats: 'tsv' occurs twice"]),
        (
            {"prediction": {"inputs": {"new": "a.fa"}, "formats": ["tsv", "bed"]}},
            ["prediction.formats: run 'r': format bed is for genome models; leave it out"],
        ),
        (
            {"prediction": {"inputs": {"new": "a.fa"}, "formats": ["3line"]}},
            ["prediction.formats: run 'r': format 3line holds membrane topology; ss3 is none"],
        ),
        (
            {
                "datasets": {
                    "d": {"records": "a.tsv", "prepare": {"format": "tsv", "scheme": "s=AB"}}
                },
                "prediction": {"inputs": {"new": "a.fa"}, "formats": ["ss2"]},
            },
            ["prediction.formats: run 'r': format ss2 holds helix, strand and coil"],
        ),
        (
            {"prediction": {"inputs": {"new": "a.fa"}, "profiles": {"newww": "b"}}},
            ["prediction: profiles.newww: no input 'newww' in inputs, did you mean 'new'?"],
        ),
        ({"prediction": {"formats": ["pdf"]}}, ["prediction.formats.0", "'tsv'", '"pdf"']),
    ],
)
def test_wrong_keys_are_refused_with_path_value_and_expectation(
    changes: dict[str, Any], expected: list[str]
) -> None:
    with pytest.raises(GrubioError) as caught:
        checked(Config, study(**changes))
    for text in expected:
        assert text in str(caught.value)


def test_the_reference_names_every_key_with_its_default() -> None:
    text = (REPOSITORY / "config/README.md").read_text()
    for group in (ModelSettings, ReportSettings, TrainingSettings):
        for key, field in group.model_fields.items():
            assert f"| `{key}` | `{field.default}` |" in text


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "config").glob("*.yaml")), ids=lambda p: p.name
)
def test_shipped_configurations_are_valid(path: Path) -> None:
    load_config(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"runs: [", "is not YAML"),
        (b"device: caf\xe9", "line 1: byte 0xe9 is not UTF-8 text"),
        (
            b"runs:\n  a: {}\n  b: {}\n  a: {}\n",
            "line 4: key 'a' was given before, on line 2; keep",
        ),
        (b'{"device": "cpu",\n"device": "cpu"}', "line 2: key 'device' was given before"),
        (b"device: 2026-13-45", "cannot be read as YAML"),
        (b"[" * 10_000, "cannot be read as YAML"),
    ],
)
def test_a_file_that_is_not_yaml_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(GrubioError, match=message):
        load_config(path)


def test_what_is_merged_may_be_given_as_well(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a: &a {x: 1, y: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b, x: 3}\n")
    assert content_of(path)["c"] == {"x": 3, "y": 1}


def test_options_set_what_they_were_made_from() -> None:
    settings = TrainingSettings(epochs=3, learning_rate=0.001, class_weights="balanced")
    options = as_options(settings)
    given = {
        flag.removeprefix("--").replace("-", "_"): yaml.safe_load(value)
        for flag, value in zip(options[::2], options[1::2], strict=True)
    }
    given["precision"] = str(given["precision"])
    assert checked(TrainingSettings, given) == settings


def test_classes_survive_the_command_line_in_their_order() -> None:
    classes = {
        "z": {"feature": "TSS", "offset": [-12, -7], "where": {"score": 1000}},
        "a": {"feature": ["exon"], "boundary": "introns_start", "bases": 2, "letter": "a"},
        "b": {"feature": "*", "strand": "both"},
        "a1": {"feature": "*"},
    }
    settings = checked(PrepareSettings, {"format": "genome", "classes": classes})
    options = as_options(settings)
    assert options[options.index("--alphabet") + 1] == "dna"
    text = options[options.index("--classes") + 1]
    again = checked(PrepareSettings, {"format": "genome", "classes": text})
    assert again == settings
    assert list(again.classes) == list(classes)
    assert settings.classes["z"].where == {"score": ["1000"]}
    assert "--classes" not in as_options(PrepareSettings())


def test_letters_of_classes_are_their_first_free_ones() -> None:
    rules = {name: {"feature": "x"} for name in ("tss", "stop", "cds", "t-o")}
    rules["last"] = {"feature": "x", "letter": "C"}
    settings = checked(PrepareSettings, {"format": "genome", "classes": rules})
    scheme = genome_scheme(settings.classes)
    assert (scheme.letters, scheme.background) == ("TSDOC.", ".")
    with pytest.raises(GrubioError, match="class 't-t' has no free letter"):
        checked(
            PrepareSettings, {"format": "genome", "classes": {**rules, "t-t": {"feature": "x"}}}
        )


def test_a_url_is_taken_from_the_folder_of_copies(tmp_path: Path) -> None:
    (tmp_path / "a b.fna").write_text(">c")
    url = "https://example.org/x/a%20b.fna?x=1"
    assert copy_in(tmp_path, url) == str(tmp_path / "a b.fna")
    for location in ("https://example.org/b.fna", "https://example.org/", "a b.fna"):
        assert copy_in(tmp_path, location) == location
    assert copy_in(None, url) == url


def sweep(**vary: Any) -> dict[str, Any]:
    return {
        "s": {"base": {"dataset": "d"}, "vary": {k.replace("__", "."): v for k, v in vary.items()}}
    }


def test_a_sweep_stands_for_runs_beside_the_others() -> None:
    content = study(
        training={"epochs": 3},
        sweeps=sweep(training__seed=[1, 2], model__hidden_size=[8, 16]),
    )
    config = checked(Config, content)
    names = [f"s.hidden_size-{width}.seed-{seed}" for width in (8, 16) for seed in (1, 2)]
    assert list(config.runs) == ["r", *names]
    run = config.runs["s.hidden_size-16.seed-2"]
    assert (run.dataset, run.model.hidden_size, run.training.seed) == ("d", 16, 2)
    assert run.training.epochs == 3
    content.pop("runs")
    assert list(checked(Config, content).runs) == names


def test_a_sweep_over_datasets() -> None:
    content = study(sweeps={"s": {"vary": {"dataset": ["d", "e"]}}})
    content["datasets"]["e"] = content["datasets"]["d"]
    runs = checked(Config, content).runs
    assert (runs["s.dataset-d"].dataset, runs["s.dataset-e"].dataset) == ("d", "e")


def test_a_sweep_over_lists_mappings_and_paths() -> None:
    base = {"dataset": "d", "model": None, "evaluation": None}
    vary = {
        "model.inputs": [["onehot"], ["onehot", "profile"]],
        "training.target_weights": [{"profile": 0.3, "ss3": 1}],
        "from": ["old/model"],
    }
    content = study(sweeps={"s": {"base": base, "vary": vary}}, profiles={"database": "p.fasta"})
    ending = "target_weights-profile-0.3-ss3-1.from-old-model"
    names = [f"s.inputs-{word}.{ending}" for word in ("onehot", "onehot-profile")]
    runs = checked(Config, content).runs
    assert list(runs) == ["r", *names]
    assert (runs[names[1]].model.inputs, runs[names[1]].parent) == (
        ("onehot", "profile"),
        "old/model",
    )


@pytest.mark.parametrize(
    ("sweeps", "expected"),
    [
        (sweep(training__sed=[1]), ["sweeps.s", "no setting 'training.sed'", "'training.seed'"]),
        (sweep(training__seed=[]), ["sweeps.s", "vary.training.seed: different values"]),
        (sweep(training__seed=[1, 1]), ["vary.training.seed: different values"]),
        ({"s": {"base": {"model": 5}, "vary": {"training.seed": [1]}}}, ["s: base.model: keys"]),
        ({"s": {"base": {"model": [1]}, "vary": {"model.layers": [1]}}}, ["s: base.model: keys"]),
        (sweep(**{"from": ["a/b", "a-b"]}), ["vary.from: different values"]),
        (sweep(dataset=["d"]), ["'dataset' is in base and in vary"]),
        ({"s": {"base": {"dataset": "d"}}}, ["sweeps.s.vary: this key is required"]),
        ({"s": {"vary": {"training.seed": [1]}}}, ["runs.s.seed-1.dataset", "required"]),
        (sweep(training__epochs=[0]), ["runs.s.epochs-0.training.epochs", "got 0"]),
        (sweep(training__epochs=[2]) | {"t": {"varry": {}}}, ["sweeps.t.var"]),
    ],
)
def test_a_wrong_sweep_says_what_is_wrong(sweeps: Any, expected: list[str]) -> None:
    with pytest.raises(GrubioError) as refused:
        checked(Config, study(sweeps=sweeps))
    for text in expected:
        assert text in str(refused.value)


def test_a_study_needs_a_run() -> None:
    content = study()
    content.pop("runs")
    with pytest.raises(GrubioError, match="a run or a sweep was expected"):
        checked(Config, content)
    clash = {"s.seed-1": {"dataset": "d"}}
    with pytest.raises(GrubioError, match="a sweep makes a run of this name"):
        checked(Config, study(runs=clash, sweeps=sweep(training__seed=[1])))


@pytest.mark.parametrize(
    ("run", "has"),
    [
        ({}, True),
        ({"model": {"network": "lstm"}}, False),
        ({"model": {"attention": "dot"}}, False),
        ({"model": {"inputs": ["onehot", "profile"]}}, False),
    ],
)
def test_pages_are_for_networks_that_they_compute(run: dict[str, Any], has: bool) -> None:
    runs = {"one": {"dataset": "d", **run}, "two": {"dataset": "d", "from": "one"}}
    database = {"profiles": {"database": "proteins.fasta"}}
    config = checked(Config, study(runs=runs, report={"page": True}, **database))
    assert [config.has_page(name) for name in runs] == [has, has]
    assert not checked(Config, study(runs=runs, **database)).has_page("one")


def test_models_that_are_no_runs_bring_their_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = dict.fromkeys(("hidden_size", "layers", "stem_channels", "stem_width"), 1)
    network = {"name": "lstm", "settings": {**settings, "dropout": 0.1}}
    about = {"format": 2, "network": network, "inputs": ["onehot"], "members": 1}
    (tmp_path / "model").mkdir()
    (tmp_path / "model/model.json").write_text(json.dumps(about))
    parents = {"deep": "protein-ss-profile", "lstm": "./model", "plain": "protein-ss", "no": "./x"}
    runs = {name: {"dataset": "d", "from": parent} for name, parent in parents.items()}
    runs["both"] = {"dataset": "d", "members": ["lstm", "plain"]}
    content = study(runs=runs, report={"page": True})
    with pytest.raises(GrubioError, match=r"datasets\.d: a run reads profiles; give its profiles"):
        checked(Config, content)
    config = checked(Config, content | {"profiles": {"database": "proteins.fasta"}})
    assert [name for name in runs if config.reads_profiles(name)] == ["deep"]
    assert [name for name in runs if config.has_page(name)] == ["plain", "no"]
    assert config.searched_datasets == {"d"}


def test_folds_become_runs_whatever_their_number_is_written_as() -> None:
    for folds in (3, 3.0, "3"):
        content = study(runs={"r": {"dataset": "d"}, "mine": {"dataset": "d", "fold": 2}})
        content["datasets"]["d"]["split"] = {"folds": folds}
        config = checked(Config, content)
        names = ["r-fold1", "r-fold2", "r-fold3"]
        assert list(config.runs) == [*names, "mine"]
        # A run with a fold and a name of its own is part of no cross-validation.
        assert config.cross_validations == {"r": names}


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ({"a": {"from": "a"}}, "runs.a.from: runs are made of each other in a circle: a of a"),
        ({"a": {"teacher": "b"}, "b": {"members": ["a", "c"]}, "c": {}}, "in a circle: "),
        ({"a": {"from": "b"}, "b": {"members": ["c", "d"]}, "c": {"from": "a"}, "d": {}}, "circle"),
        ({"a": {"from": "b"}, "b": {"teacher": "a"}}, "circle"),
    ],
)
def test_runs_are_not_made_of_each_other(links: dict[str, Any], expected: str) -> None:
    runs = {name: {"dataset": "d", **content} for name, content in links.items()}
    with pytest.raises(GrubioError) as refused:
        checked(Config, study(runs=runs))
    assert expected in str(refused.value)


def test_a_part_of_a_study_is_a_study() -> None:
    runs: dict[str, Any] = {name: {"dataset": "d"} for name in ("a", "b", "other")}
    runs["b"]["model"] = {"inputs": ["onehot", "profile"]}
    runs["both"] = {"dataset": "d", "members": ["a", "b"], "training": {"weight_precision": "16"}}
    runs["tuned"] = {"dataset": "e", "from": "b", "teacher": "both"}
    content = study(runs=runs, training={"epochs": 3}, profiles={"database": "p.fa", "shards": 2})
    content["datasets"]["more"] = content["datasets"]["d"]
    content["datasets"]["e"] = {**content["datasets"]["d"], "train_also": ["more"]}
    config = checked(Config, content)
    part = checked(Config, json.loads(json.dumps(config.part(["tuned"]))))
    assert list(part.runs) == ["tuned", "both", "b", "a"]
    assert all(part.runs[name] == config.runs[name] for name in part.runs)
    assert set(part.datasets) == {"d", "e", "more"}
    assert part.profiles == config.profiles
    assert list(config.part(["other"])["runs"]) == ["other"]
