"""Models: the network, how it is trained, how it is scored."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from grubio.config.base import LARGEST_SEED, Settings, former_key, from_yaml
from grubio.model.architecture import INPUT_NAMES, InputName, WeightPrecision
from grubio.model.networks.registry import (
    AttentionName,
    NetworkName,
    described_attentions,
    described_networks,
)

Metric = Literal["accuracy", "mcc", "macro_f1", "average_precision", "spearman", "pearson"]
"""A score of all classes together, or (``spearman``, ``pearson``) of values."""
VALUE_METRICS: tuple[Metric, ...] = ("spearman", "pearson")
ValueLoss = Literal["gaussian", "huber"]


class ModelSettings(Settings):
    """Which network, and its size."""

    network: NetworkName = Field(default="gru", description=f"The network: {described_networks()}.")
    attention: AttentionName = Field(
        default="none",
        description="How the residues of a sequence attend to each other: what a residue finds is "
        f"joined to its own state before the heads. One of {described_attentions()}.",
    )
    hidden_size: int = Field(
        default=96,
        ge=1,
        le=4096,
        description="Units of a layer; of a recurrent network, in each direction.",
    )
    layers: int = Field(default=2, ge=1, le=16, description="Number of layers.")
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
    inputs: tuple[InputName, ...] = Field(
        default=("onehot",),
        description="What the network reads of each residue (separated by commas on the command "
        "line): `onehot`, the residue itself, and `profile` beside it, the frequencies of the "
        "amino acids among its homologs, for which the dataset has `profiles`.",
    )
    targets: tuple[str, ...] | None = Field(
        default=None,
        description="Additional targets of the dataset to predict, by name (separated by commas on "
        "the command line); by default all of them.",
    )
    former: ClassVar = {
        "accessibility": ("targets", lambda wanted: ["accessibility"] if wanted else [])
    }
    accessibility: bool | None = former_key("targets: [accessibility]")
    dropout: float = Field(
        default=0.1, ge=0, lt=1, description="Share of units dropped after every layer in training."
    )

    @field_validator("inputs", "targets", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return [name for name in value.split(",") if name] if isinstance(value, str) else value

    @field_validator("inputs")
    @classmethod
    def _known_inputs(cls, value: tuple[InputName, ...]) -> tuple[InputName, ...]:
        ordered = tuple(name for name in INPUT_NAMES if name in value)
        if "onehot" not in value or len(ordered) < len(value):
            raise ValueError("onehot was expected, each input once")
        return ordered

    @field_validator("stem_width")
    @classmethod
    def _centred(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an odd number was expected")
        return value


class TrainingSettings(Settings):
    """How the model is fitted."""

    seed: int = Field(
        default=1, ge=0, le=LARGEST_SEED, description="Seed of weights, order and dropout."
    )
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
        default=0.1, ge=0, lt=1, description="Share of the steps until the peak."
    )
    gradient_clip: float = Field(default=1.0, gt=0, description="Largest norm of the gradient.")
    patience: int = Field(
        default=5,
        ge=1,
        description="Validations without a better score after which training stops.",
    )
    layer_decay: float = Field(
        default=1,
        gt=0,
        le=1,
        description="Learning rate of each layer relative to that of the layer above; the heads "
        "have `learning_rate`. Below 1, what a model was started with (`from`) changes less the "
        "nearer it is to the input.",
    )
    freeze: Annotated[str, BeforeValidator(str)] = Field(
        default="none",
        pattern="^(none|stem|all|[1-9][0-9]*)$",
        description="For a model that starts from another (`from`): which of its weights stay as "
        "they are: `none`, the `stem`, a number n (the stem and the first n layers), or `all` but "
        "the heads.",
    )
    loss: Literal["cross_entropy", "crf"] = Field(
        default="cross_entropy",
        description="Loss of the labels: `cross_entropy` of each residue by itself, or `crf`, a "
        "conditional random field over the states of the grammar, which learns how classes follow "
        "one another. With `cross_entropy` that is counted on the training labels, where the "
        "scheme has a grammar.",
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none",
        description="`balanced` weights each class by the inverse of its count among residues "
        "that are not masked.",
    )
    focal_gamma: float = Field(
        default=0,
        ge=0,
        description="Exponent of the focal loss, which gives little weight to residues that are "
        "predicted well already; 0 is cross-entropy.",
    )
    background_ratio: float = Field(
        default=0,
        ge=0,
        description="For rare classes: each pass takes a window of `max_length` around every "
        "segment of a rare class, and for each of these this many random windows; 0 takes all "
        "data. In a genome the classes of fixed width are rare, elsewhere all but the background. "
        "Probabilities are then corrected for the true frequencies.",
    )
    motifs: str = Field(
        default="none",
        description="Motifs that the network of a genome begins with, for classes of fixed width: "
        "`none`; `sites`, the matrices of the training sites, aligned if that ranks "
        "the validation sites better; or a file of motifs (MEME, JASPAR, HOMER, TRANSFAC) that are "
        "named as the classes. They become filters of the first convolution, on both strands, and "
        "are not changed by training.",
    )
    select_by: Literal["auto", Metric] = Field(
        default="auto",
        description="Score that chooses among validations and comes first in the report: "
        "`accuracy` is the share of residues right, `mcc` the correlation over all classes, "
        "`macro_f1` the mean F1 of the classes, `average_precision` its mean over the classes but "
        "the background. `auto` is accuracy; where over 90 % of the training residues are "
        "background, it is `mcc`, or with `background_ratio` `average_precision`. Where the main "
        "target is a value, it is `spearman` (`auto`) or `pearson`, the correlation of predicted "
        "and known values over all residues.",
    )
    value_loss: ValueLoss = Field(
        default="gaussian",
        description="Loss of values without a range, on the standardised scale: `gaussian`, the "
        "negative log-likelihood of a normal distribution whose standard deviation is predicted "
        "for each residue, or `huber`, which is quadratic up to one deviation, linear beyond, and "
        "predicts no deviation. The loss of values in a range is cross-entropy.",
    )
    false_positives_per_kb: float = Field(
        default=0.1,
        gt=0,
        description="For genomes: wrong sites per 1,000 bases of the validation blocks that the "
        "threshold of a class admits.",
    )
    target_weights: Annotated[
        dict[str, Annotated[float, Field(ge=0)]], BeforeValidator(from_yaml)
    ] = Field(
        default={},
        description="Weights of the losses of the other targets relative to that of the labels, by "
        "name, such as `{profile: 0.3}`; by default those of the dataset. A target of weight 0 is "
        "not learned.",
    )
    former: ClassVar = {
        "accessibility_weight": ("target_weights", lambda weight: {"accessibility": weight}),
        "profile_weight": ("target_weights", lambda weight: {"profile": weight}),
    }
    accessibility_weight: float | None = former_key("target_weights: {accessibility: WEIGHT}")
    profile_weight: float | None = former_key("target_weights: {profile: WEIGHT}")
    homolog_augmentation: float = Field(
        default=0,
        ge=0,
        le=1,
        description="Largest share of the residues of a training chain that are replaced by draws "
        "from its profile; the share is drawn anew for each chain and step.",
    )
    homolog_profile: str = Field(
        default="profile",
        description="Target of the dataset that holds the profiles: shares of the amino acids.",
    )
    profile_dropout: float = Field(
        default=0,
        ge=0,
        le=1,
        description="For a model that reads profiles: share of the training chains whose profile "
        "is replaced, in each step anew, by that of their own sequence, as one without homologs "
        "has it. Without, such sequences are labelled worse than by a model that reads none.",
    )
    profile_thinning: float = Field(
        default=0,
        ge=0,
        le=1,
        description="For a model that reads profiles: share of the training chains whose profile "
        "is replaced, in each step anew, by that of an alignment of 1 to 1,000 homologs made up "
        "from it, so that the model learns what shallow alignments are worth.",
    )
    teacher_weight: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="For a run with a teacher: share of the loss that is the distance from the "
        "teacher's probabilities instead of the labels.",
    )
    weight_averaging: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="Decay of the moving average of the weights that is validated and kept; 0 "
        "keeps the weights themselves.",
    )
    processes: int = Field(
        default=1,
        ge=1,
        le=1024,
        description="Processes on one machine that train together, each on its own batches, so "
        "that a step takes this many batches; with GPUs, one process for each.",
    )
    nodes: int = Field(
        default=1,
        ge=1,
        le=1024,
        description="Machines that train together, each with `processes` processes; more than "
        "one need `torchrun` or `srun` to start them.",
    )
    precision: Literal["auto", "32", "bf16", "16"] = Field(
        default="auto",
        description="Numbers that matrix products multiply: float32, bfloat16 or float16 (for "
        "CUDA); all else is float32. `auto` is bf16 on CPUs and CUDA devices with instructions for "
        "it, 16 on other CUDA devices, and 32 elsewhere.",
    )

    weight_precision: WeightPrecision = Field(
        default="32",
        description="Bits of the weights that are stored: 32, or 16 for a model of half the size. "
        "Labelling computes in float32 either way, and calibration knows the rounded weights.",
    )

    @field_validator("weight_precision", mode="before")
    @classmethod
    def _as_word(cls, value: Any) -> Any:
        return str(value)

    @field_validator("precision", mode="before")
    @classmethod
    def _without_mixed(cls, value: Any) -> Any:
        # A number in YAML; a word of version 0.2 and before.
        return str(value).removesuffix("-mixed")

    @model_validator(mode="after")
    def _field_alone(self) -> TrainingSettings:
        if self.loss == "crf":
            defaults = type(self).model_construct()
            others = ("class_weights", "focal_gamma", "background_ratio", "weight_averaging")
            if given := [k for k in others if getattr(self, k) != getattr(defaults, k)]:
                raise ValueError(f"loss 'crf' takes no {given[0]}")
        return self

    @property
    def all_processes(self) -> int:
        """Processes on all machines together."""
        return self.processes * self.nodes


class EvaluationSettings(Settings):
    """How the test set is scored."""

    bootstrap: int = Field(
        default=1000, ge=10, description="Bootstrap samples of chains behind each interval."
    )
    seed: int = Field(default=1, ge=0, le=LARGEST_SEED, description="Seed of the bootstrap.")
    baseline_window: int = Field(
        default=15,
        ge=1,
        description="Residues that the logistic-regression baseline sees around each residue.",
    )


class MotifSettings(Settings):
    """How the motifs that a genome model has learned are shown."""

    sites: int = Field(
        default=200,
        ge=5,
        description="Most sites in the logo of a class; the best of the called sites are taken.",
    )
    flank: int = Field(default=20, ge=0, description="Bases on each side of a site in the logo.")
    meme_flank: int = Field(
        default=10,
        ge=0,
        description="Most bases on each side of a site in `motifs.meme`; ends with less than 0.2 "
        "bits are left out.",
    )
    mutated_sites: int = Field(
        default=4, ge=0, description="Best sites of a class that are mutated in silico."
    )
    mutated_flank: int = Field(
        default=30, ge=0, description="Bases on each side of a site that are mutated too."
    )
