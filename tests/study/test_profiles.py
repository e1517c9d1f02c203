from __future__ import annotations

from pathlib import Path

import pytest

from conftest import REPOSITORY
from grubio.errors import GrubioError
from grubio.study.profiles import found_profile


def test_a_profile_is_found_by_name_and_by_folder(tmp_path: Path) -> None:
    assert found_profile("sge", tmp_path) == REPOSITORY / "workflow/profiles/sge"
    own = tmp_path / "mine"
    own.mkdir()
    (own / "config.yaml").write_text("jobs: 3\n")
    assert found_profile("mine", tmp_path) == own
    assert found_profile(str(own), Path()) == own


@pytest.mark.parametrize(
    ("name", "hint"), [("slrm", "did you mean 'slurm'?"), ("x", "those of grubio: htcondor, ")]
)
def test_an_unknown_profile_is_told_with_the_nearest(name: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(GrubioError) as caught:
        found_profile(name, tmp_path)
    assert f"{name}: no such profile\nhint: {hint}" in str(caught.value)


def test_a_profile_without_its_plugin_is_told_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "profile.yaml").write_text("executor: no-such-thing\n")
    with pytest.raises(GrubioError) as caught:
        found_profile(str(tmp_path), Path())
    assert "needs Snakemake's plugin for 'no-such-thing'" in str(caught.value)
    assert "hint: pip install snakemake-executor-plugin-no-such-thing" in str(caught.value)
    monkeypatch.setattr("grubio.study.profiles.find_spec", lambda _: None)
    with pytest.raises(GrubioError, match=r"pip install 'grubio\[cluster\]'"):
        found_profile("lsf", tmp_path)
