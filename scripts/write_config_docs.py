"""Write config/README.md, the formats in config/config.yaml, and the JSON schema of predictions."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from grubio import config
from grubio.config.formats import described_formats
from grubio.writers.json_document import predictions_schema

ROOT = Path(__file__).parents[1]

INTRODUCTION = """# Configuration

`config.yaml` in this folder is a complete study. One model is trained, scored and reported for
each entry of `runs`. The groups `model`, `training`, `evaluation` and `motifs` stand at the
top, where they hold for all runs, or inside a run, where they hold for that run alone.

```yaml
datasets:
  mine:
    records: chains.fasta
    labels: labels.fasta
training:
  epochs: 10
runs:
  narrow: {dataset: mine, model: {hidden_size: 64}}
  wide: {dataset: mine, model: {hidden_size: 192}}
  wide-again: {dataset: mine, model: {hidden_size: 192}, training: {seed: 2}}
```

A sweep stands for many runs, here for six, `width.hidden_size-64.seed-1` and so on:

```yaml
sweeps:
  width:
    base: {dataset: mine}
    vary: {model.hidden_size: [64, 128], training.seed: [1, 2, 3]}
```

An unknown or wrong key stops the workflow before its first job, with the key's path, its value,
and the nearest key that exists.

This page is made by `python scripts/write_config_docs.py`.
"""

GROUPS: list[tuple[str, type[BaseModel]]] = [
    ("Top", config.Config),
    ("`datasets.<name>`", config.DatasetSettings),
    (
        "A source: `records`, `annotation`, `labels`, `masks`, `file` of a target, "
        "`exclude`, `motifs.database`, "
        "`prediction.inputs.<name>`",
        config.Source,
    ),
    ("`datasets.<name>.prepare`", config.PrepareSettings),
    ("`datasets.<name>.prepare.classes.<name>`", config.ClassRule),
    ("`datasets.<name>.targets`", config.TargetSettings),
    ("`datasets.<name>.split`", config.SplitSettings),
    ("`runs.<name>`", config.RunSettings),
    ("`sweeps.<name>`", config.SweepSettings),
    ("`model`", config.ModelSettings),
    ("`training`", config.TrainingSettings),
    ("`evaluation`", config.EvaluationSettings),
    ("`motifs`", config.StudyMotifSettings),
    ("`report`", config.ReportSettings),
    ("`prediction`", config.StudyPredictionSettings),
    ("`prediction.calls`", config.CallSettings),
    ("`prediction.genome`", config.GenomeSettings),
]


def table(group: type[BaseModel]) -> str:
    """Return a Markdown table of the keys of a group."""
    rows = ["| key | default | meaning |", "| --- | --- | --- |"]
    for key, field in group.model_fields.items():
        default = field.default
        if default is PydanticUndefined:
            default = field.get_default(call_default_factory=True, validated_data={})
            shown = "required" if field.is_required() else f"`{default}`"
        elif isinstance(default, BaseModel):
            shown = "see below"
        else:
            shown = f"`{default}`"
        meaning = field.description or (type(default).__doc__ or "").splitlines()[0]
        rows.append(f"| `{field.alias or key}` | {shown} | {meaning} |")
    return "\n".join(rows)


def with_formats(study: str) -> str:
    """Return a configuration with all formats in the comment above its key ``formats``."""
    names = described_formats().replace("`", "")
    comment = textwrap.fill(
        f"All formats: {names}.", 98, initial_indent="  # ", subsequent_indent="  # "
    )
    return re.sub(r"(?:^  # .*\n)+(?=  formats:)", f"{comment}\n", study, flags=re.MULTILINE)


def main() -> None:
    """Write all files."""
    parts = [INTRODUCTION]
    for title, group in GROUPS:
        parts.append(f"## {title}\n\n{(group.__doc__ or '').splitlines()[0]}\n\n{table(group)}\n")
    (ROOT / "config/README.md").write_text("\n".join(parts), encoding="utf-8")
    study = ROOT / "config/config.yaml"
    study.write_text(with_formats(study.read_text(encoding="utf-8")), encoding="utf-8")
    schema = ROOT / "grubio/writers/predictions.schema.json"
    schema.write_text(predictions_schema(), encoding="utf-8")


if __name__ == "__main__":
    main()
