"""The one schema: every setting of grubio, with its default, its bounds and its meaning.

The workflow's JSON schema, the options of the commands and the reference in
``config/README.md`` are all made from the classes of this package.
"""

from grubio.config.base import Device, OnInvalid, Settings, Source
from grubio.config.data import DatasetSettings, PrepareSettings, SplitSettings
from grubio.config.formats import Output, PredictionFormat
from grubio.config.labels import ClassRule, genome_scheme, parse_scheme
from grubio.config.model import (
    EvaluationSettings,
    Metric,
    ModelSettings,
    MotifSettings,
    TrainingSettings,
)
from grubio.config.prediction import (
    CallSettings,
    GenomeSettings,
    PredictionSettings,
    StudyPredictionSettings,
)
from grubio.config.profiles import SearchSettings, StudyProfileSettings
from grubio.config.run import RunSettings, StudyMotifSettings
from grubio.config.study import Config, ReportSettings
from grubio.config.sweep import SweepSettings
from grubio.config.targets import FORMER_TARGETS, AdditionalTargets, TargetSettings

__all__ = [
    "FORMER_TARGETS",
    "AdditionalTargets",
    "CallSettings",
    "ClassRule",
    "Config",
    "DatasetSettings",
    "Device",
    "EvaluationSettings",
    "GenomeSettings",
    "Metric",
    "ModelSettings",
    "MotifSettings",
    "OnInvalid",
    "Output",
    "PredictionFormat",
    "PredictionSettings",
    "PrepareSettings",
    "ReportSettings",
    "RunSettings",
    "SearchSettings",
    "Settings",
    "Source",
    "SplitSettings",
    "StudyMotifSettings",
    "StudyPredictionSettings",
    "StudyProfileSettings",
    "SweepSettings",
    "TargetSettings",
    "TrainingSettings",
    "genome_scheme",
    "parse_scheme",
]
