"""Datasets: their files, how they are read, how they are split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from grubio.config.base import (
    LARGEST_SEED,
    EachOnce,
    Name,
    OneOrMany,
    OnInvalid,
    Settings,
    Source,
    from_yaml,
)
from grubio.config.input_formats import RecordFormat, described_input_formats
from grubio.config.labels import (
    ClassRule,
    GrammarRules,
    genome_scheme,
    parse_scheme,
    with_rules,
)
from grubio.config.targets import AdditionalTargets, TargetSettings
from grubio.sequences.scheme import NO_CLASSES, LabelScheme


class PrepareSettings(Settings):
    """How records are read."""

    format: RecordFormat = Field(default="fasta", description=f"{described_input_formats()}.")
    alphabet: Literal["protein", "dna"] = Field(
        default="protein", description="Kind of residue; format `genome` implies `dna`."
    )
    scheme: str = Field(
        default="ss8",
        description="Label scheme: `ss3`, `ss8`, or your own as NAME=LETTER:class,LETTER:class, "
        "for example `disorder=O:ordered,D:disordered`; `none` for records without labels, of "
        "which a value is learned (the first of `targets`). Format `genome` takes its classes from "
        "`classes`.",
    )
    background: str = Field(
        default="",
        pattern="^[!-~]?$",
        description="Letter of the class of your own scheme that means nothing special, such as "
        "`.`; GFF3 leaves it out, and scores give no credit for it.",
    )
    grammar: GrammarRules = Field(
        default=None,
        description="What label sequences may look like: `least`, the least residues of a run of a "
        "label, or of a run of several (`{least: {M: 15, HGI: 3}}`); `most`, the most residues; "
        "`present`, the probability that a label has to reach somewhere; `next`, the labels that "
        "may follow a label (`{next: {I: M, M: IO, O: M}}`); `first` and `last`, those that a "
        "sequence begins and ends with; `states`, several states of one label by name, each with "
        "its label; of a genome `genes`, the label of coding bases, or a mapping of `label`, "
        "`start`, `stop`, `least` and `overlap`: whole genes are called, from start to stop codon. "
        "`none` is no grammar. By default that of `ss3` and `ss8`, no helix under three residues, "
        "and none for other schemes.",
    )
    columns: str = Field(
        default="",
        description="Names of the columns of a table without a header line, for example "
        "`id,sequence,labels,mask` (format `tsv`).",
    )
    on_invalid: OnInvalid = Field(
        default="error",
        description="What to do with a record that has invalid letters: stop with an `error`, "
        "`skip` the record, or `mask` the letters (unknown residue, not counted). With `skip` and "
        "`mask`, bad lines of an annotation are left out.",
    )
    classes: Annotated[dict[Name, ClassRule], BeforeValidator(from_yaml)] = Field(
        default_factory=dict,
        description="Classes of format `genome`, by name, each with its rule: the keys of "
        "`classes.<name>`, such as `{minus10: {feature: TSS, offset: [-12, -7]}}`. Where classes "
        "overlap, the first wins.",
    )
    contigs: str = Field(
        default="",
        description="Ids of the contigs to use, for example `chr1,chr2`, format `genome`; all by "
        "default. Annotation of the others is ignored.",
    )
    annotated: Literal["all", "only"] = Field(
        default="all",
        description="Contigs of a genome without any annotation: use `all` (they are background) "
        "or `only` those that have some.",
    )
    block_length: int = Field(
        default=50_000,
        ge=100,
        description="Bases of a block, format `genome`. The last block of a contig includes the "
        "remainder.",
    )

    @model_validator(mode="before")
    @classmethod
    def _genomes_are_dna(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("format") == "genome":
            return {"alphabet": "dna", **value}
        return value

    @field_validator("contigs", mode="before")
    @classmethod
    def _as_one_text(cls, value: Any) -> Any:
        return ",".join(map(str, value)) if isinstance(value, list) else value

    @property
    def label_scheme(self) -> LabelScheme:
        """The classes that the settings name or spell out."""
        if self.scheme == NO_CLASSES.name:
            return parse_scheme(self.scheme, "" if self.format == "genome" else self.background)
        if self.format == "genome":
            return with_rules(genome_scheme(self.classes), self.grammar)
        return with_rules(parse_scheme(self.scheme, self.background), self.grammar)

    @model_validator(mode="after")
    def _classes_only_of_genomes(self) -> PrepareSettings:
        if self.format != "genome":
            genomes_only = ("classes", "contigs", "annotated")
            defaults = type(self).model_construct()
            if given := [k for k in genomes_only if getattr(self, k) != getattr(defaults, k)]:
                raise ValueError(f"format '{self.format}' takes no {given[0]}")
            if self.label_scheme.genes is not None:
                raise ValueError("a grammar of genes is for format 'genome'")
            return self
        if self.background not in ("", "."):
            raise ValueError("the background of format 'genome' is '.'")
        if self.alphabet != "dna":
            raise ValueError("format 'genome' needs alphabet dna")
        if self.scheme == NO_CLASSES.name:
            if self.classes:
                raise ValueError("scheme 'none' takes no classes")
            return self
        if not self.classes:
            raise ValueError("format 'genome' needs classes, or scheme 'none' and a value to learn")
        if (grammar := self.label_scheme.grammar) is not None and grammar.present:
            raise ValueError("'present' of a grammar is for sequences: a genome comes in windows")
        return self


def require_main_target(settings: PrepareSettings, targets: Sequence[TargetSettings]) -> None:
    """Check that records without labels have a value to learn, and a format that can hold it.

    Raises
    ------
    ValueError
        If they do not.
    """
    if settings.format == "genome":
        for target in targets:
            if target.kind != "value" or target.file is None:
                raise ValueError(
                    "targets of a genome are values from bedGraph or BigWig: NAME=value@FILE"
                )
    if settings.label_scheme is not NO_CLASSES:
        return
    if settings.format in ("dssp", "structure", "three-line"):
        raise ValueError(f"format '{settings.format}' has labels: give their scheme")
    if not targets or targets[0].kind != "value":
        raise ValueError(
            "scheme 'none' is for records without labels, and needs a value as its first target "
            "(--target NAME=value); classes of your own are a scheme"
        )


MOST_FOLDS = 100


class SplitSettings(Settings):
    """How records are divided into train, valid and test without homologs between them.

    A genome is divided into blocks or contigs (`unit`, `gap`); homology is not considered.
    """

    method: Literal["auto", "mmseqs", "kmer"] = Field(
        default="auto",
        description="Homology search: MMseqs2, or shared k-mers plus alignment in Python; "
        "`auto` takes MMseqs2 where it is installed.",
    )
    valid_fraction: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Share of residues for model selection and early stopping.",
    )
    test_fraction: float = Field(
        default=0.1, ge=0, lt=1, description="Share of residues for the final evaluation."
    )
    folds: int = Field(
        default=0,
        ge=0,
        le=MOST_FOLDS,
        description="Folds of a cross-validation: whole groups of homologs or blocks of a genome, "
        "or those of the column `fold` of the records. Each run on the dataset becomes one for "
        "each fold, which tests that fold instead of `test_fraction`; 0 is one split, no folds.",
    )
    min_identity: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description="Least identity of an alignment of two chains that count as homologs.",
    )
    max_evalue: float = Field(
        default=0.01,
        gt=0,
        description="E-value below which two chains count as homologs, at any identity.",
    )
    unit: Literal["block", "contig"] = Field(
        default="block",
        description="Parts of a genome that are each in one split, with both strands: blocks or "
        "contigs.",
    )
    gap: int = Field(
        default=500,
        ge=0,
        description="Bases of a genome between blocks of different splits; they are cut from the "
        "training block, or from the valid block next to a test block.",
    )
    seed: int = Field(
        default=1,
        ge=0,
        le=LARGEST_SEED,
        description="Seed of the assignment of clusters, or of blocks.",
    )

    @field_validator("folds")
    @classmethod
    def _more_than_one(cls, value: int) -> int:
        if value == 1:
            raise ValueError("two folds or more were expected, or 0 for none")
        return value

    @model_validator(mode="after")
    def _something_left_to_train(self) -> SplitSettings:
        if self.valid_fraction + self.test_fraction >= 1:
            raise ValueError("valid_fraction + test_fraction leaves nothing to train on")
        return self


class DatasetSettings(AdditionalTargets):
    """One labelled dataset: its files, how they are read, how they are split."""

    records: Annotated[list[Source], OneOrMany] = Field(
        min_length=1, description="Files of records; one source, or a list of them."
    )
    annotation: Annotated[list[Source], OneOrMany] = Field(
        default_factory=list,
        description="GFF3, GTF or BED files with the features of a genome (format `genome`); one "
        "source, or a list of them.",
    )
    labels: Source | None = Field(default=None, description="FASTA of labels (format `fasta`).")
    masks: Source | None = Field(default=None, description="FASTA of masks (format `fasta`).")
    exclude: Source | None = Field(
        default=None, description="FASTA whose homologs are kept out of train and valid."
    )
    train_also: Annotated[list[Name], EachOnce] = Field(
        default_factory=list,
        description="Datasets whose records are added to the training records, except their test "
        "records and homologs of records that are held out or excluded.",
    )
    prepare: PrepareSettings = PrepareSettings()
    split: SplitSettings = SplitSettings()

    @property
    def brings_profiles(self) -> bool:
        """Whether it has profiles, or a target of which they are the answers."""
        return self.profiles is not None or any(t.answers == "shares" for t in self.targets)

    @model_validator(mode="after")
    def _labels_only_with_fasta(self) -> DatasetSettings:
        if self.prepare.format != "fasta" and (self.labels or self.masks):
            raise ValueError(f"format '{self.prepare.format}' takes no labels or masks files")
        unlabelled = self.prepare.label_scheme is NO_CLASSES
        if unlabelled and (self.labels or self.train_also):
            raise ValueError("scheme 'none' takes no labels and no train_also")
        if self.prepare.format == "fasta" and self.labels is None and not unlabelled:
            raise ValueError("format 'fasta' needs labels")
        require_main_target(self.prepare, self.targets)
        return self

    @model_validator(mode="after")
    def _annotation_only_of_genomes(self) -> DatasetSettings:
        if self.prepare.format != "genome":
            if self.annotation:
                raise ValueError(f"format '{self.prepare.format}' takes no annotation")
            return self
        unlabelled = self.prepare.label_scheme is NO_CLASSES
        if bool(self.annotation) == unlabelled:
            wanted = "takes no annotation with scheme 'none'" if unlabelled else "needs annotation"
            raise ValueError(f"format 'genome' {wanted}")
        for key in ("profiles", "exclude", "train_also"):
            if getattr(self, key):
                raise ValueError(f"format 'genome' takes no {key}")
        return self
