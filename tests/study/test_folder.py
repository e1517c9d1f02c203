"""Studies find the workflow, those that were set up by older versions too."""

from __future__ import annotations

import importlib
import sys

import pytest

from grubio.study.folder import workflow_file


def test_the_snakefile_of_an_older_study_still_finds_the_workflow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A module warns when it is first read, and another test may have read it.
    monkeypatch.delitem(sys.modules, "grubio.study_folder", raising=False)
    with pytest.warns(FutureWarning, match=r"grubio\.study\.folder"):
        former = importlib.import_module("grubio.study_folder")
    assert former.workflow_file() == workflow_file()
    assert workflow_file().name == "Snakefile"
