"""The table of output formats: options, configuration, writers and pages say what it says."""

from __future__ import annotations

import re
import subprocess
import sys
import typing
from importlib import import_module

import pytest

from conftest import REPOSITORY
from grubio.config import CallSettings, GenomeSettings, PredictionFormat, PredictionSettings
from grubio.config.formats import FORMATS, described_formats, format_of, formats_of
from grubio.config.loading import as_options, checked, grouped
from grubio.errors import GrubioError
from grubio.sequences.kind import Kind
from grubio.writers.text import TextFormat


def test_the_names_that_settings_take_are_those_of_the_table() -> None:
    assert typing.get_args(PredictionFormat) == tuple(FORMATS)
    assert {*formats_of("sequences"), *formats_of("genome")} == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_has_writers_and_endings_of_its_own(name: str) -> None:
    known = FORMATS[name]
    for kind in typing.get_args(Kind):
        if named := known.writer(kind):
            module, _, attribute = named.partition(".")
            writer = getattr(import_module(f"grubio.writers.{module}"), attribute)
            # What goes to standard output is text, and only that.
            assert known.text == (isinstance(writer, type) and issubclass(writer, TextFormat))
    for ending in known.endings:
        assert format_of(f"out/a.b.{ending}") == format_of(f"A.{ending.upper()}.gz") == name
    assert not (known.folder and known.text)


def test_an_unknown_ending_is_told_all_that_are_known() -> None:
    with pytest.raises(GrubioError) as refused:
        format_of("a.doc")
    assert all(f".{ending}" in str(refused.value) for f in FORMATS.values() for ending in f.endings)


def test_a_writer_is_imported_when_it_is_opened_and_no_other() -> None:
    code = """if True:
        import sys
        from grubio.sequences.scheme import SS3
        from grubio.writers.open_writer import open_writer
        from grubio.writers.text import Content
        with open_writer("-", "fasta", Content("sequences", SS3)):
            print(*sorted(m for m in sys.modules if m.startswith("grubio.writers.")))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"grubio.writers.{m}" for m in ("fasta", "open_writer", "text")]


def test_the_page_of_formats_has_the_table() -> None:
    page = (REPOSITORY / "docs" / "formats.md").read_text()
    rows = {r[1]: r[0] for r in re.finditer(r"^\| \[`(\w+)`\]\(.*$", page, flags=re.MULTILINE)}
    assert set(rows) == set(FORMATS)
    for name, known in FORMATS.items():
        assert f"| {known.holds} |" in rows[name]
        assert f"`.{known.endings[0]}" in rows[name]
    assert described_formats() in " ".join(page.split())


def test_the_configuration_of_the_demonstration_names_all_formats() -> None:
    comments = re.findall(r"# (.*)", (REPOSITORY / "config" / "config.yaml").read_text())
    assert set(FORMATS) <= set(re.findall(r"\w+", " ".join(comments)))


def test_settings_of_groups_are_options_without_the_groups() -> None:
    settings = PredictionSettings(threads=2, genome=GenomeSettings(strand="-"))
    options = as_options(settings)
    assert options.count("--no-introns") == 1
    pairs = [word for word in options if word != "--no-introns"]
    given = dict(zip(pairs[::2], pairs[1::2], strict=True))
    assert given["--strand"] == "-"
    assert given["--threads"] == "2"
    assert "--scheme" not in given
    keys = {name[2:].replace("-", "_"): value for name, value in given.items()}
    assert checked(PredictionSettings, grouped(PredictionSettings, keys)) == settings


def test_each_kind_of_model_has_its_own_settings() -> None:
    settings = PredictionSettings(
        calls=CallSettings(min_confidence=0.5, min_segment=3, max_gap=1),
        genome=GenomeSettings(min_score=0.5),
    )
    assert settings.for_kind("sequences") == settings.model_copy(
        update={"genome": GenomeSettings()}
    )
    assert settings.for_kind("genome") == settings.model_copy(
        update={"calls": CallSettings(min_segment=3)}
    )
