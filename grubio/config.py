"""The one schema: every setting of grubio, with its default, its bounds and its meaning.

The workflow's JSON schema, the options of the commands and the reference in
``config/README.md`` are all made from the classes below.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from grubio.scheme import SCHEMES, LabelScheme, custom_scheme
from grubio.sources import is_url

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""A name that is also a folder name."""

Device = Literal["auto", "cpu", "cuda", "mps"]
OnInvalid = Literal["error", "skip", "mask"]
RecordFormat = Literal["fasta", "tagged", "tsv", "dssp", "structure", "genome"]
PredictionFormat = Literal[
    "tsv", "parquet", "ss2", "horiz", "fasta", "gff3", "bed", "bedgraph", "bigwig"
]


_BACKGROUND_LETTER, _BACKGROUND_NAME = ".", "background"


class Settings(BaseModel):
    """Base of all groups of settings: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Settings):
    """Where a file comes from."""

    location: str = Field(
        description="URL (http, https, ftp), path, or name of embedded data "
        "(`grubio fetch --list`)."
    )
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="Expected SHA-256 of the file as fetched; required for a URL.",
    )
    member: str | None = Field(default=None, description="File to take out of a ZIP archive.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"location": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _url_needs_checksum(self) -> Source:
        if is_url(self.location) and self.sha256 is None:
            raise ValueError("a URL needs its sha256")
        return self


class ClassRule(Settings):
    """Which bases of a genome a class labels, from the features of its annotation.

    With `offset`, the bases at a distance from the first base of each feature. With `boundary` and
    `bases`, the ends of features or of the introns between the exons of a transcript. With
    neither, whole features.
    """

    letter: str | None = Field(
        default=None,
        pattern=r"^[!-~]$",
        description="Letter of the class; by default the first free one of its name, upper case.",
    )
    feature: list[str] = Field(
        min_length=1,
        description="Types of feature (GFF3, GTF: third column) or names (BED: fourth column); one "
        "or a list, `*` is any.",
    )
    where: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Attributes that narrow the features, each with one value or a list of them; "
        "of BED the columns `name` and `score`.",
    )
    offset: tuple[int, int] | None = Field(
        default=None,
        description="First and last base, counted from the first base of the feature on its own "
        "strand, which is 0; upstream is negative: `[-12, -7]`.",
    )
    boundary: Literal["start", "end", "introns_start", "introns_end"] | None = Field(
        default=None,
        description="The first or last `bases` of each feature, or of each intron between the "
        "exons (`feature: exon`) of a transcript.",
    )
    bases: int | None = Field(default=None, ge=1, description="Number of bases for `boundary`.")
    strand: Literal["same", "opposite", "both"] = Field(
        default="same",
        description="Strand whose record is labelled: the feature's own, the other one, or both. "
        "A feature without a strand is labelled on both.",
    )

    @field_validator("feature", mode="before")
    @classmethod
    def _one_or_many_types(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("where", mode="before")
    @classmethod
    def _one_or_many_values(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        lists = {key: v if isinstance(v, list | tuple) else [v] for key, v in value.items()}
        # A score of 1000 is a number in YAML and text in the annotation.
        return {key: [str(v) for v in values] for key, values in lists.items()}

    @model_validator(mode="after")
    def _one_way(self) -> ClassRule:
        if self.offset is not None and self.boundary is not None:
            raise ValueError("give offset or boundary, not both")
        if self.offset is not None and self.offset[0] > self.offset[1]:
            raise ValueError("the first base of offset lies after the last")
        if (self.boundary is None) != (self.bases is None):
            raise ValueError("boundary and bases go together")
        return self


class PrepareSettings(Settings):
    """How records are read."""

    format: RecordFormat = Field(
        default="fasta",
        description="`fasta` (labels and masks in further FASTA files), `tagged` (FASTA with "
        "SET= TARGET= MASK= in the header), `tsv`, `dssp` (DSSP output), `structure` "
        "(PDB or mmCIF, through mkdssp) or `genome` (FASTA of contigs, labelled from annotation by "
        "`classes`).",
    )
    alphabet: Literal["protein", "dna"] = Field(
        default="protein", description="Kind of residue; format `genome` implies `dna`."
    )
    scheme: str = Field(
        default="ss8",
        description="Label scheme: `ss3`, `ss8`, or your own as NAME=LETTER:class,LETTER:class, "
        "for example `disorder=O:ordered,D:disordered`. Format `genome` makes its own of "
        "`classes`.",
    )
    columns: str = Field(
        default="",
        description="Names of the columns of a table without a header line, for example "
        "`id,sequence,labels,mask` (format `tsv`).",
    )
    on_invalid: OnInvalid = Field(
        default="error",
        description="What to do with a record that has invalid letters: stop with an `error`, "
        "`skip` the record, or `mask` the letters (unknown residue, not counted). A bad line of an "
        "annotation is left out under both.",
    )
    classes: dict[Name, ClassRule] = Field(
        default_factory=dict,
        description="Classes of format `genome`, by name, each with its rule: the keys of "
        "`classes.<name>`, such as `{minus10: {feature: TSS, offset: [-12, -7]}}`. Where classes "
        "overlap, the first wins. On the command line: the same as JSON.",
    )
    block_length: int = Field(
        default=50_000,
        ge=100,
        description="Bases of a block, format `genome`. The last block of a contig takes the rest "
        "and is longer.",
    )

    @model_validator(mode="before")
    @classmethod
    def _genomes_are_dna(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("format") == "genome":
            return {"alphabet": "dna", **value}
        return value

    @field_validator("scheme")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        parse_scheme(value)
        return value

    @field_validator("classes", mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"is not JSON ({error})") from error

    @model_validator(mode="after")
    def _classes_only_of_genomes(self) -> PrepareSettings:
        if self.format != "genome":
            if self.classes:
                raise ValueError(f"format '{self.format}' takes no classes")
            return self
        if self.alphabet != "dna":
            raise ValueError("format 'genome' needs alphabet dna")
        if not self.classes:
            raise ValueError("format 'genome' needs classes")
        genome_scheme(self.classes)
        return self


class SplitSettings(Settings):
    """How records are divided into train, valid and test without homologs between them.

    A genome is divided by place: `unit` and `gap` are for it, homology is not looked at.
    """

    method: Literal["auto", "mmseqs", "kmer"] = Field(
        default="auto",
        description="Homology search: MMseqs2, or shared k-mers plus alignment in Python; "
        "`auto` takes MMseqs2 where it is installed.",
    )
    valid_fraction: float = Field(
        default=0.1, ge=0, lt=1, description="Share of residues used to choose and to stop."
    )
    test_fraction: float = Field(
        default=0.1, ge=0, lt=1, description="Share of residues read once, at the end."
    )
    min_identity: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description="Identity of an alignment from which two chains count as homologs.",
    )
    max_evalue: float = Field(
        default=0.01,
        gt=0,
        description="E-value below which two chains count as homologs whatever their identity.",
    )
    unit: Literal["block", "contig"] = Field(
        default="block",
        description="What of a genome is dealt out whole, both strands together: its blocks or its "
        "contigs.",
    )
    gap: int = Field(
        default=500,
        ge=0,
        description="Bases of a genome between blocks of different splits; they are cut off the "
        "training block, or off the valid block beside test.",
    )
    seed: int = Field(
        default=1, ge=0, description="Seed of the assignment of clusters, or of blocks."
    )

    @model_validator(mode="after")
    def _something_left_to_train(self) -> SplitSettings:
        if self.valid_fraction + self.test_fraction >= 1:
            raise ValueError("valid_fraction + test_fraction leaves nothing to train on")
        return self


class ModelSettings(Settings):
    """Shape of the bidirectional GRU."""

    hidden_size: int = Field(
        default=96, ge=1, le=4096, description="Width of one direction of one layer."
    )
    layers: int = Field(default=2, ge=1, le=16, description="Number of bidirectional layers.")
    stem_channels: int = Field(
        default=64,
        ge=0,
        le=4096,
        description="Channels of the convolution before the first layer; 0 leaves it out.",
    )
    stem_width: int = Field(
        default=7,
        ge=1,
        le=99,
        description="Residues that the convolution sees around each residue, an odd number.",
    )
    accessibility: bool = Field(
        default=False,
        description="Whether to predict relative solvent accessibility too; the dataset must "
        "have it.",
    )
    dropout: float = Field(
        default=0.1, ge=0, lt=1, description="Share of units dropped after every layer in training."
    )

    @field_validator("stem_width")
    @classmethod
    def _centred(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an odd number was expected")
        return value


class TrainingSettings(Settings):
    """How the model is fitted."""

    seed: int = Field(default=1, ge=0, description="Seed of weights, order and dropout.")
    epochs: int = Field(default=8, ge=1, description="Passes over the training chains.")
    validations_per_epoch: int = Field(
        default=1, ge=1, description="Validations, and checkpoints, in each pass."
    )
    batch_residues: int = Field(
        default=6000, ge=1, description="Residues in a batch, padding included."
    )
    max_length: int = Field(
        default=2000,
        ge=10,
        description="Longer training chains are cut into pieces of at most this many residues.",
    )
    learning_rate: float = Field(default=0.004, gt=0, description="Peak of the one-cycle schedule.")
    weight_decay: float = Field(default=0.01, ge=0, description="Weight decay of AdamW.")
    warmup_fraction: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the steps spent on reaching the peak."
    )
    gradient_clip: float = Field(default=1.0, gt=0, description="Largest norm of the gradient.")
    patience: int = Field(
        default=5,
        ge=1,
        description="Validations without a better score after which training stops.",
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none",
        description="`balanced` weighs each class by the inverse of its count among residues "
        "that are not masked.",
    )
    focal_gamma: float = Field(
        default=0,
        ge=0,
        description="Exponent of the focal loss, which makes little of residues that are called "
        "well already; 0 is cross-entropy.",
    )
    background_ratio: float = Field(
        default=0,
        ge=0,
        description="For rare classes: each pass takes a window of `max_length` around every "
        "stretch of a rare class and this many windows, drawn anywhere, for each of those; 0 "
        "takes all of the data. Of a genome's classes those of fixed width are the rare ones, "
        "elsewhere all but the background. Probabilities are set right for the true "
        "frequencies afterwards.",
    )
    select_by: Literal["accuracy", "average_precision"] = Field(
        default="accuracy",
        description="Score of a validation: share of residues right, or mean average precision of "
        "the rare classes, which says more about those.",
    )
    false_positives_per_kb: float = Field(
        default=0.1,
        gt=0,
        description="For genomes: wrong sites in 1,000 bases of the validation blocks that the "
        "threshold of a class lets pass.",
    )
    accessibility_weight: float = Field(
        default=0.3,
        ge=0,
        description="Weight of the loss of accessibility beside that of the labels.",
    )
    profile_weight: float = Field(
        default=0,
        ge=0,
        description="Weight of the loss of predicting the chain's evolutionary profile from its "
        "sequence alone; the dataset must have profiles.",
    )
    homolog_augmentation: float = Field(
        default=0,
        ge=0,
        le=1,
        description="Largest share of residues of a training chain that are replaced by draws "
        "from its profile; the share is drawn anew for each chain and step.",
    )
    teacher_weight: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Where a run has a teacher: share of the loss that is the distance from the "
        "teacher's probabilities instead of the labels.",
    )
    weight_averaging: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="Decay of the moving average of the weights that is validated and kept; 0 "
        "takes the weights as they are.",
    )
    precision: Literal["auto", "32", "16-mixed", "bf16-mixed"] = Field(
        default="auto", description="`auto` is mixed precision on a CUDA device and 32 elsewhere."
    )


class EvaluationSettings(Settings):
    """How the test set is scored."""

    bootstrap: int = Field(
        default=1000, ge=10, description="Bootstrap samples of chains behind each interval."
    )
    seed: int = Field(default=1, ge=0, description="Seed of the bootstrap.")
    baseline_window: int = Field(
        default=15,
        ge=1,
        description="Residues that the logistic-regression baseline sees around each residue.",
    )


class MotifSettings(Settings):
    """What is shown of a DNA model's motifs."""

    sites: int = Field(default=200, ge=5, description="Best sites of a class in its logo.")
    flank: int = Field(default=20, ge=0, description="Bases on each side of a site in the logo.")
    mutated_sites: int = Field(
        default=4, ge=0, description="Best sites of a class that are mutated in silico."
    )
    mutated_flank: int = Field(
        default=30, ge=0, description="Bases on each side of a site that are mutated too."
    )


class GenomeSettings(Settings):
    """What is written of a genome; other models have no use for it."""

    strand: Literal["both", "+", "-"] = Field(
        default="both", description="Strands to label: `both`, `+` or `-`."
    )
    min_score: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Least mean probability of a called site or segment; left out, the "
        "thresholds of the model for sites and none for segments.",
    )
    min_segment: int = Field(
        default=1, ge=1, description="Least number of bases of a called segment."
    )


class PredictionSettings(Settings):
    """What is labelled once the models are trained."""

    inputs: dict[Name, Source] = Field(
        default_factory=dict, description="FASTA files to label, by name."
    )
    formats: list[PredictionFormat] = Field(
        default=["tsv"],
        min_length=1,
        description="Formats to write for each input. `tsv`, `parquet` and `gff3` for any model, "
        "`fasta`, and for secondary structure `ss2` and `horiz`; for models of a genome also "
        "`bed`, `bedgraph` and `bigwig`, the last two as folders with a file per class and strand.",
    )
    on_invalid: OnInvalid = Field(
        default="error", description="As for datasets: `error`, `skip` or `mask`."
    )
    genome: GenomeSettings = GenomeSettings()


class DatasetSettings(Settings):
    """One labelled dataset: its files, how they are read, how they are split."""

    records: list[Source] = Field(
        min_length=1, description="Files of records; one source, or a list of them."
    )
    annotation: list[Source] = Field(
        default_factory=list,
        description="GFF3, GTF or BED files with the features of a genome (format `genome`); one "
        "source, or a list of them.",
    )
    labels: Source | None = Field(default=None, description="FASTA of labels (format `fasta`).")
    masks: Source | None = Field(default=None, description="FASTA of masks (format `fasta`).")
    accessibility: Source | None = Field(
        default=None,
        description="Table of an id and one digit per residue: relative solvent accessibility in "
        "tenths, a further target to learn from.",
    )
    profiles: Source | None = Field(
        default=None,
        description="NumPy archive with the evolutionary profile of all residues (`freq`), a "
        "further target, used in training alone.",
    )
    exclude: Source | None = Field(
        default=None, description="FASTA whose homologs are kept out of train and valid."
    )
    train_also: list[Name] = Field(
        default_factory=list,
        description="Datasets whose records join the training records, but for their own test "
        "records and for homologs of what is held out or excluded.",
    )
    prepare: PrepareSettings = PrepareSettings()
    split: SplitSettings = SplitSettings()

    @field_validator("records", "annotation", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    @model_validator(mode="after")
    def _labels_only_beside_fasta(self) -> DatasetSettings:
        if self.prepare.format != "fasta" and (self.labels or self.masks):
            raise ValueError(f"format '{self.prepare.format}' takes no labels or masks files")
        if self.prepare.format == "fasta" and self.labels is None:
            raise ValueError("format 'fasta' needs labels")
        return self

    @model_validator(mode="after")
    def _annotation_only_of_genomes(self) -> DatasetSettings:
        if self.prepare.format != "genome":
            if self.annotation:
                raise ValueError(f"format '{self.prepare.format}' takes no annotation")
            return self
        if not self.annotation:
            raise ValueError("format 'genome' needs annotation")
        for key in ("accessibility", "profiles", "exclude", "train_also"):
            if getattr(self, key):
                raise ValueError(f"format 'genome' takes no {key}")
        return self


class RunSettings(Settings):
    """One trained model. Keys left out are taken from the groups of the same name at the top."""

    dataset: Name = Field(description="Name of one of the datasets.")
    members: list[Name] = Field(
        default_factory=list,
        description="Runs on the same dataset that are averaged; nothing is trained then.",
    )
    teacher: Name | None = Field(
        default=None,
        description="Run whose model teaches this one: the probabilities that it gives to the "
        "training chains are learned besides the labels.",
    )
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()


class Config(Settings):
    """A study: datasets, runs on them, and what to predict."""

    datasets: dict[Name, DatasetSettings] = Field(min_length=1, description="Datasets, by name.")
    runs: dict[Name, RunSettings] = Field(min_length=1, description="Runs, by name.")
    model: ModelSettings = Field(default=ModelSettings(), description="Default of all runs.")
    training: TrainingSettings = Field(
        default=TrainingSettings(), description="Default of all runs."
    )
    evaluation: EvaluationSettings = Field(
        default=EvaluationSettings(), description="Default of all runs."
    )
    prediction: PredictionSettings = PredictionSettings()
    device: Device = Field(default="auto", description="Where training and prediction run.")
    data_dir: str | None = Field(
        default=None,
        description="Folder with copies of files: a source that is a URL is taken from here if a "
        "file of its name is here. Its checksum is still checked.",
    )

    @model_validator(mode="before")
    @classmethod
    def _runs_inherit(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or not isinstance(value.get("runs"), Mapping):
            return value
        shared = {key: value[key] for key in ("model", "training", "evaluation") if key in value}
        if not all(isinstance(group, Mapping) for group in shared.values()):
            return value
        runs = {
            name: {**run, **{k: {**g, **_mapping(run.get(k))} for k, g in shared.items()}}
            if isinstance(run, Mapping)
            else run
            for name, run in value["runs"].items()
        }
        return {**value, "runs": runs}

    @model_validator(mode="after")
    def _datasets_exist(self) -> Config:
        if taken := {"datasets", "benchmarks"} & set(self.runs):
            raise ValueError(f"runs: a run cannot be called '{taken.pop()}'")
        for name, run in self.runs.items():
            if run.dataset not in self.datasets:
                near = difflib.get_close_matches(run.dataset, self.datasets, 1)
                guess = f", did you mean '{near[0]}'?" if near else ""
                raise ValueError(f"runs.{name}.dataset: no dataset '{run.dataset}'{guess}")
            for member in run.members:
                trained = self.runs.get(member)
                if trained is None or trained.members or trained.dataset != run.dataset:
                    raise ValueError(
                        f"runs.{name}.members: '{member}' is no trained run on '{run.dataset}'"
                    )
            if run.teacher is not None and (
                run.teacher not in self.runs
                or run.teacher == name
                or self.runs[run.teacher].teacher is not None
                or run.members
            ):
                raise ValueError(
                    f"runs.{name}.teacher: '{run.teacher}' is no other run without a teacher"
                )
            if len(run.members) == 1:
                raise ValueError(f"runs.{name}.members: two runs or more were expected")
        for name, dataset in self.datasets.items():
            for other in dataset.train_also:
                if other not in self.datasets or other == name:
                    raise ValueError(f"datasets.{name}.train_also: no other dataset '{other}'")
        return self


def parse_scheme(text: str) -> LabelScheme:
    """Return the label scheme that a ``scheme`` setting names or spells out.

    Raises
    ------
    ValueError
        If it is neither a known name nor ``NAME=LETTER:class,LETTER:class``.

    Examples
    --------
    >>> parse_scheme("disorder=O:ordered,D:disordered").letters
    'OD'
    """
    if text in SCHEMES:
        return SCHEMES[text]
    name, equals, classes = text.partition("=")
    parts = [part.partition(":") for part in classes.split(",")]
    if not equals or name in SCHEMES or any(len(letter) != 1 for letter, _, _ in parts):
        raise ValueError(
            f"'{text}' is neither {' nor '.join(SCHEMES)} nor NAME=LETTER:class,LETTER:class"
        )
    return custom_scheme(
        name,
        "".join(p[0] for p in parts),
        [class_name or letter for letter, _, class_name in parts],
    )


def genome_scheme(classes: Mapping[str, ClassRule]) -> LabelScheme:
    """Return the label scheme of a genome's classes: in their order, then the background, ``.``.

    Raises
    ------
    ValueError
        If there is no letter for a class, or two have the same.

    Examples
    --------
    >>> rules = {"minus10": ClassRule(feature=["TSS"]), "mRNA": ClassRule(feature=["mRNA"])}
    >>> genome_scheme(rules).letters
    'MR.'
    """
    given = {name: rule.letter for name, rule in classes.items() if rule.letter is not None}
    taken = [*given.values(), _BACKGROUND_LETTER]
    for letter in taken:
        if taken.count(letter) > 1:
            raise ValueError(f"the letter '{letter}' is taken twice ('.' is the background's)")
    letters = ""
    for name in classes:
        free = (c for c in name.upper() if c.isalnum() and c not in (*taken, *letters))
        letter = given.get(name) or next(free, "")
        if not letter:
            raise ValueError(f"class '{name}' has no free letter; give it one with: letter")
        letters += letter
    if _BACKGROUND_NAME in classes:
        raise ValueError(f"no class can be called '{_BACKGROUND_NAME}'")
    return custom_scheme(
        "motifs",
        letters + _BACKGROUND_LETTER,
        [*classes, _BACKGROUND_NAME],
        background=_BACKGROUND_LETTER,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
