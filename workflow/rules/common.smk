"""The checked configuration, and what the rules need to know about it."""

import json
import os
import re
import shlex
from pathlib import Path, PurePosixPath

from snakemake.exceptions import WorkflowError

import grubio
from grubio.config import Config, SearchSettings
from grubio.config.formats import FORMATS
from grubio.config.loading import as_options, checked, content_of
from grubio.fetching.lists import local_files
from grubio.errors import GrubioError
from grubio.splits.folds import fold_path
from grubio.config.sources import copy_in, file_name_of

try:
    # Of a key that is given twice Snakemake has kept the last one.
    for path in filter(os.path.isfile, workflow.configfiles):
        content_of(path)
    STUDY = checked(Config, config)
except GrubioError as error:
    raise WorkflowError(f"configuration: {error}") from None

VERSION = grubio.__version__

# For workflow/envs/grubio.post-deploy.sh: what the environment of --sdm conda installs.
CHECKOUT = Path(grubio.__file__).resolve().parents[1]
os.environ.update(GRUBIO_VERSION=VERSION)
if (CHECKOUT / "pyproject.toml").is_file():
    os.environ.update(GRUBIO_SOURCE=str(CHECKOUT))


def fetched_path(owner, role, source):
    """Return where a source is fetched to: its own file name in the owner's folder."""
    name = source.member or file_name_of(source.location)
    return f"resources/{owner}/{role}/{PurePosixPath(name).name}"


def dataset_sources(name):
    """Return the sources of a dataset by the path that they are fetched to."""
    dataset = STUDY.datasets[name]
    roles = [
        (f"{role}{i}", source)
        for role in ("records", "annotation")
        for i, source in enumerate(getattr(dataset, role))
    ]
    roles += [
        (role, getattr(dataset, role))
        for role in ("labels", "masks", "exclude")
        if getattr(dataset, role) is not None
    ]
    roles += [
        (f"target-{target.name}", target.file)
        for target in dataset.targets
        if target.file is not None
    ]
    return {
        fetched_path(f"datasets/{name}", role, source): source for role, source in roles
    }


SOURCES = {
    path: source
    for name in STUDY.datasets
    for path, source in dataset_sources(name).items()
}
INPUTS = {
    name: fetched_path("inputs", name, source)
    for name, source in STUDY.prediction.inputs.items()
}
SOURCES |= {INPUTS[name]: source for name, source in STUDY.prediction.inputs.items()}
SOURCES |= {
    fetched_path("motifs", name, run.motifs.database): run.motifs.database
    for name, run in STUDY.runs.items()
    if run.motifs.database
}
SOURCES |= {
    fetched_path(owner, "profiles", source): source
    for owner, source in [
        *(
            (f"datasets/{name}", known.profiles)
            for name, known in STUDY.datasets.items()
        ),
        *(
            (f"inputs/{name}", known)
            for name, known in STUDY.prediction.profiles.items()
        ),
        ("profiles", STUDY.profiles.database),
    ]
    if source is not None
}
SOURCES = {
    path: source.model_copy(
        update={"location": copy_in(STUDY.data_dir, source.location)}
    )
    for path, source in SOURCES.items()
}


def local_source(wildcards):
    """Return the local files of a source, so that a change to one is noticed."""
    return local_files(SOURCES[f"resources/{wildcards.file}"].location)


def source_options(wildcards):
    """Return the options of grubio fetch for a source."""
    source = SOURCES[f"resources/{wildcards.file}"]
    options = [source.location]
    if source.sha256:
        options += ["--sha256", source.sha256]
    if source.member:
        options += ["--member", source.member]
    return shlex.join(options)


def dataset_role(name, role):
    """Return the fetched files of one role of a dataset."""
    return [
        path
        for path in dataset_sources(name)
        if PurePosixPath(path).parent.name.startswith(role)
    ]


def option(flag, paths):
    """Return the flag before each file; nothing if there is no file."""
    return shlex.join(text for path in paths for text in (flag, path))


def given_profiles(owner, source):
    """Return the file or folder of profiles that a dataset or an input brings, or nothing."""
    if source is None:
        return []
    path = fetched_path(owner, "profiles", source)
    # A folder of alignments is used where it is.
    location = SOURCES[path].location
    return [location if Path(location).is_dir() else path]


def files_of(paths):
    """Return files, and those in folders: the time of a folder is not that of its files."""
    return [
        str(file)
        for path in map(Path, paths)
        for file in (sorted(path.glob("[!.]*")) if path.is_dir() else [path])
        if not file.is_dir()
    ]


def database_of_proteins():
    """Return the database to search, and the files that it depends on."""
    if STUDY.profiles.database is None:
        return "", []
    path = fetched_path("profiles", "profiles", STUDY.profiles.database)
    location = SOURCES[path].location
    # A database of MMseqs2 is several files beside each other.
    if Path(f"{location}.dbtype").exists():
        return location, [f"{location}.dbtype"]
    return path, [path]


DATABASE, DATABASE_FILES = database_of_proteins()
SEARCH_OPTIONS = shlex.join(
    as_options(
        SearchSettings(**STUDY.profiles.model_dump(exclude={"database", "shards"}))
    )
)


def profile_parts(folder):
    """Return the files of the parts of a search."""
    parts = STUDY.profiles.shards
    return [f"{folder}/{part}-of-{parts}.npz" for part in range(1, parts + 1)]


def whole_dataset(name):
    """Return a prepared dataset, with profiles if they are searched for."""
    kind = "profiled" if name in STUDY.searched_datasets else "prepared"
    return f"results/datasets/{name}/{kind}.parquet"


def dataset_profiles(wildcards):
    """Return the file or folder of profiles that a dataset brings, or nothing."""
    source = STUDY.datasets[wildcards.dataset].profiles
    return given_profiles(f"datasets/{wildcards.dataset}", source)


def input_profiles(wildcards):
    """Return the files or the folder of the profiles of an input; nothing if none are read."""
    if not STUDY.reads_profiles(wildcards.run):
        return []
    given = STUDY.prediction.profiles.get(wildcards.input)
    if given is not None:
        return given_profiles(f"inputs/{wildcards.input}", given)
    return profile_parts(f"results/profiles/{wildcards.input}")


def target_options(wildcards):
    """Return the additional targets of a dataset as options of `grubio prepare`."""
    options = []
    for target in STUDY.datasets[wildcards.dataset].targets:
        content = target.model_dump(exclude_unset=True)
        if target.file is not None:
            owner, role = f"datasets/{wildcards.dataset}", f"target-{target.name}"
            content["file"] = fetched_path(owner, role, target.file)
        options += ["--target", json.dumps(content)]
    return shlex.join(options)


def split_file(run, name):
    """Return a file of the split dataset of a run, of its fold if it has one."""
    path = Path(f"results/datasets/{run.dataset}/{name}")
    return str(path if run.fold is None else fold_path(path, run.fold))


def fold_files(name, folds):
    """Return the paths of a file of the split of a dataset, for each fold."""
    path = Path(f"results/datasets/{{dataset}}/{name}")
    return [str(fold_path(path, fold)) for fold in range(1, folds + 1)]


def run_dataset(wildcards):
    """Return the split dataset of a run."""
    return split_file(STUDY.runs[wildcards.run], "split.parquet")


def run_teacher(wildcards):
    """Return the model that teaches a run, or nothing."""
    teacher = STUDY.runs[wildcards.run].teacher
    return [f"results/{teacher}/model/model.json"] if teacher else []


def run_parent(wildcards):
    """Return the model that a run starts from, or nothing; a bundled one comes with grubio."""
    parent = STUDY.runs[wildcards.run].parent
    if parent in STUDY.runs:
        return [f"results/{parent}/model/model.json"]
    return [f"{parent}/model.json"] if parent and "/" in parent else []


def parent_option(wildcards, input):
    """Return the option of `grubio train` for the model that a run starts from."""
    parent = STUDY.runs[wildcards.run].parent
    if parent is None:
        return ""
    return option("--from", [str(Path(p).parent) for p in input.parent] or [parent])


def run_motifs(wildcards):
    """Return the file of motifs that the network of a run begins with, or nothing."""
    motifs = STUDY.runs[wildcards.run].training.motifs
    return [] if motifs in ("none", "sites") else [motifs]


def run_audit(wildcards):
    """Return the leakage audit of a run's dataset."""
    return split_file(STUDY.runs[wildcards.run], "audit.tsv")


def run_options(wildcards, groups):
    """Return the settings of a run as command-line options."""
    run = STUDY.runs[wildcards.run]
    return shlex.join(
        text
        for group in groups
        for text in as_options(
            getattr(run, group), given=group == "model" and run.parent is not None
        )
    )


def run_processes(wildcards):
    """Return how many processes train a run together."""
    return STUDY.runs[wildcards.run].training.processes


def asked_processes(wildcards):
    """Return for how many processes a training asks: those of the largest in an array of SLURM.

    All tasks of an array get what the first one asks for.
    """
    arrays = getattr(workflow.executor_settings, "array_jobs", None) or ""
    if re.search(r"\b(train|all)\b", arrays):
        return max(STUDY.runs[name].training.processes for name in TRAINED)
    return run_processes(wildcards)


def motif_database(wildcards):
    """Return the fetched database of motifs of a run, or nothing."""
    source = STUDY.runs[wildcards.run].motifs.database
    return [fetched_path("motifs", wildcards.run, source)] if source else []


def motif_options(wildcards):
    """Return the settings of a run's motifs as options; the database is an input."""
    settings = STUDY.runs[wildcards.run].motifs.model_copy(update={"database": None})
    return shlex.join(as_options(settings))


def dataset_options(wildcards, group):
    """Return the settings of a step of a dataset as command-line options."""
    return shlex.join(as_options(getattr(STUDY.datasets[wildcards.dataset], group)))


def growing(amount):
    """Return a resource that is ``amount`` times the number of the attempt."""

    def resource(wildcards, attempt):
        return amount * attempt

    return resource


# Requested by the rules that compute with a model.
GPUS = int(STUDY.device == "cuda")

RUNS = list(STUDY.runs)
CROSS_VALIDATIONS = STUDY.cross_validations
IN_FOLDS = {
    name: dataset.split.folds
    for name, dataset in STUDY.datasets.items()
    if dataset.split.folds
}
ENSEMBLES = [name for name, run in STUDY.runs.items() if run.members]
TRAINED = [name for name in RUNS if name not in ENSEMBLES]


def any_of(names):
    """Return a regular expression for any of the names; one that matches nothing for none."""
    return "|".join(map(re.escape, names)) or "(?!)"


FOLDER_FORMATS = [name for name in STUDY.prediction.formats if FORMATS[name].folder]
FILE_FORMATS = [name for name in STUDY.prediction.formats if name not in FOLDER_FORMATS]


def output_options(paths):
    """Return the options of grubio for files and folders of predictions to write."""
    folders = tuple(FOLDER_FORMATS)
    return option(
        "--output", [f"{path}/" if path.endswith(folders) else path for path in paths]
    )


GENOME_RUNS = [
    name
    for name, run in STUDY.runs.items()
    if STUDY.datasets[run.dataset].prepare.format == "genome"
]


def prediction_options(*keys):
    """Return a function that gives some of the prediction settings as options for a run."""

    def options(wildcards):
        kind = "genome" if wildcards.run in GENOME_RUNS else "sequences"
        return shlex.join(as_options(STUDY.prediction.for_kind(kind), only=keys))

    return options


def study_with(names):
    """Return the settings of runs, and what they refer to, as a study of their own, in JSON."""
    return json.dumps(STUDY.part(names))


CRATE_OPTIONS = " ".join(
    [
        option("--license", [STUDY.license] if STUDY.license else []),
        option("--author", [author.word for author in STUDY.authors]),
    ]
)


FINAL_OUTPUT = [
    *expand("results/{run}/ro-crate-metadata.json", run=[*RUNS, *CROSS_VALIDATIONS]),
    "results/comparison.tsv",
    *expand("results/{run}/report.html", run=[*RUNS, *CROSS_VALIDATIONS]),
    *expand("results/{run}/motifs/motifs.json", run=GENOME_RUNS),
    *expand(
        "results/{run}/predictions/{input}.{format}",
        run=RUNS,
        input=list(INPUTS),
        format=STUDY.prediction.formats,
    ),
]


wildcard_constraints:
    dataset=any_of(STUDY.datasets),
    run=any_of(RUNS),
    cross=any_of(CROSS_VALIDATIONS),
    input=any_of(INPUTS),
