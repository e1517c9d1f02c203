"""The colours of the pages: readable by contrast, and told apart whatever cones one has."""

from __future__ import annotations

import itertools
import re

import numpy as np
import numpy.typing as npt
import pytest

from conftest import REPOSITORY
from grubio.report.templating import class_styles
from grubio.sequences.scheme import SS3, SS8, LabelScheme, custom_scheme
from grubio.view.svg import ACCENT, CONTRAST, INK, MUTED

Floats = npt.NDArray[np.float64]

# Linear RGB as seen without one kind of cones: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes,
# "A physiologically-based model for simulation of color vision deficiency", IEEE Transactions on
# Visualization and Computer Graphics 15 (2009) 1291-1298, table for severity 1.0.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# sRGB to CIE XYZ, IEC 61966-2-1.
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
# A difference of about 2.3 is just noticed side by side; this is several times as much.
LEAST_DIFFERENCE = 15.0


def linear(colour: str) -> Floats:
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(light: Floats) -> Floats:
    """CIE 1976 L*a*b* of linear RGB, white as the reference."""
    ratios = TO_XYZ @ np.clip(light, 0, 1) / TO_XYZ.sum(axis=1)
    f = np.where(ratios > (6 / 29) ** 3, np.cbrt(ratios), ratios / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted(float(linear(colour) @ weights) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def variables(scheme: str) -> dict[str, str]:
    """The colours of style.css in the light or the dark look."""
    text = (REPOSITORY / "grubio/report/templates/style.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    found: dict[str, str] = {}
    for block in blocks[: 1 + (scheme == "dark")]:
        for name, colour in re.findall(r"--([\w-]+): (#\w+);", block):
            whole = colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])
            found[name] = whole
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable(scheme: str) -> None:
    colour = variables(scheme)
    pairs = [(text, "paper") for text in ("ink", "muted", "accent", "contrast")]
    pairs += [(text, "soft") for text in ("ink", "muted", "accent")]
    pairs += [("ink", "good-soft"), ("ink", "caution-soft"), ("paper", "accent")]
    pairs += [("good", "good-soft"), ("caution", "caution-soft")]
    for text, under in pairs:
        assert contrast(colour[text], colour[under]) >= 4.5, (text, under)
    # WCAG 1.4.11 asks for 3 of what marks the place of a control.
    assert contrast(colour["edge"], colour["paper"]) >= 3


def test_figures_have_the_colours_of_the_page() -> None:
    light = variables("light")
    assert tuple(light[name] for name in ("ink", "muted", "accent", "contrast")) == (
        INK,
        MUTED,
        ACCENT,
        CONTRAST,
    )


@pytest.mark.parametrize("scheme", [SS3, SS8, custom_scheme("own", "abcdefgh")])
def test_letters_on_classes_are_readable(scheme: LabelScheme) -> None:
    for _, background, text in class_styles(scheme):
        assert contrast(background, text) >= 4.5


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("scheme", [SS3, SS8, custom_scheme("own", "abcdefgh")])
def test_classes_are_told_apart(scheme: LabelScheme, vision: str) -> None:
    seen = {
        letter: lab(VISION[vision] @ linear(colour))
        for letter, colour in zip(scheme.letters, scheme.colours, strict=True)
    }
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) >= LEAST_DIFFERENCE, one + other


def test_the_test_sees_confusion() -> None:
    red, green = (lab(VISION["deuteranopia"] @ linear(c)) for c in ("#B36B00", "#8A8500"))
    assert np.linalg.norm(red - green) < LEAST_DIFFERENCE
    assert np.linalg.norm(lab(linear("#B36B00")) - lab(linear("#8A8500"))) > LEAST_DIFFERENCE


def test_same_classes_have_the_same_colours() -> None:
    three = dict(zip(SS3.letters, SS3.colours, strict=True))
    eight = dict(zip(SS8.letters, SS8.colours, strict=True))
    assert three == {letter: eight[letter] for letter in SS3.letters}
