"""The names of the files of a run: one place for the package and the rules of the workflow."""

from __future__ import annotations

import re

from conftest import REPOSITORY
from grubio.runs import files

NAMES = {value for name, value in vars(files).items() if name.endswith(("_FILE", "_FOLDER"))}
# What the workflow itself keeps in the folder of a run.
OF_THE_WORKFLOW = {"shards"}


def test_the_rules_name_the_files_of_a_run_as_the_package_does() -> None:
    rules = sorted((REPOSITORY / "workflow" / "rules").glob("*.smk"))
    found = {
        name
        for path in rules
        for name in re.findall(r'"results/\{run\}/([^"/]+)', path.read_text(encoding="utf-8"))
    }
    assert {files.HISTORY_FILE, files.METRICS_FILE, files.REPORT_FILE} <= found
    assert found <= NAMES | OF_THE_WORKFLOW


def test_no_other_module_of_the_package_names_the_files_of_a_run() -> None:
    quoted = {f'"{name}"' for name in NAMES if "." in name and name != files.SITES_FILE}
    for path in sorted((REPOSITORY / "grubio").rglob("*.py")):
        if path != REPOSITORY / "grubio" / "runs" / "files.py":
            text = path.read_text(encoding="utf-8")
            assert not [name for name in quoted if name in text], path
