"""Studies from templates: what a genome and its annotation hold becomes a configuration that runs.

A template names the classes; the sizes of the data choose the rest (:mod:`grubio.study.draft`).
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from grubio.config import ClassRule
from grubio.datasets.annotate import ClassPlaces
from grubio.datasets.annotated_genome import named
from grubio.datasets.prepare_genome import LARGEST_SITE
from grubio.errors import GrubioError
from grubio.study.draft import Configuration, Draft, Rules, Study
from grubio.study.survey import Survey, survey

GenomeTemplate: TypeAlias = Literal["splice-sites", "genes", "promoters", "motif"]

_LEAST_SITES = 20
_GENES = ("bed", "gff3", "proteins")
_MOST_NAMES = 8
_KINDS_SHOWN = 12
_LEAST_CANONICAL = 25
"""Per cent of GT donors, or AG acceptors, below which gaps are no introns but frameshifts."""

_SITE_KINDS = (
    *("TF_binding_site", "protein_binding_site", "protein_bind", "binding_site"),
    *("nucleotide_motif", "regulatory_region", "operator", "DNA_binding_site", "peak"),
)
_START_KINDS = ("TSS", "transcription_start_site", "transcription_start")
_PROMOTER_KINDS = (
    *("minus_10_signal", "-10_signal", "minus_35_signal", "-35_signal", "TATA_box", "promoter"),
    *("promoter_element", "core_promoter_element", "sigma70", "sigma70-35"),
)
_TRANSCRIPT_KINDS = ("mRNA", "transcript")


def genome_study(
    template: GenomeTemplate,
    genome: str | Path,
    annotation: str | Path,
    features: Sequence[str] = (),
) -> Study:
    """Return the study of a template on a genome.

    Parameters
    ----------
    template
        Its name.
    genome
        FASTA of contigs: a path, or what is fetched, such as ``ncbi:GCF_000005845.2``.
    annotation
        GFF3, GTF or BED, likewise.
    features
        Types (GFF3, GTF) or names (BED) of the features to learn, for ``motif`` and ``promoters``;
        by default those that the template knows.

    Raises
    ------
    GrubioError
        If a file is at fault, or the annotation has no such features.
    """
    found = survey(genome, annotation)
    if unknown := [one for one in features if one != "*" and one not in found.kinds]:
        raise _refusal(found, f"has no feature '{unknown[0]}'")
    draft = _DRAFTS[template](found, tuple(features))
    rules = {name: ClassRule.model_validate(rule) for name, rule in draft.classes.items()}
    places = found.places(rules)
    counted = [_counted(name, places[name]) for name in places]
    said = [*found.described(), "classes:", *(f"  {one}" for one in counted), *draft.said]
    text = Configuration(template, found, draft, places, said).text()
    return Study(text, said)


def _counted(name: str, places: ClassPlaces) -> str:
    least, most = places.widths
    width = f"{most}" if least == most else f"{least} to {most}"
    kind = "sites" if least == most and most <= LARGEST_SITE else "segments"
    return f"{name}  {places.features:,} {kind} of {width} {'base' if most == 1 else 'bases'}"


def _refusal(found: Survey, problem: str, hint: str = "") -> GrubioError:
    kinds = ", ".join(f"{kind} ({n:,})" for kind, n in found.kinds.most_common(_KINDS_SHOWN))
    more = len(found.kinds) - _KINDS_SHOWN
    kinds += f" and {more:,} more" if more > 0 else ""
    what = "names" if found.is_bed else "types of feature"
    return GrubioError(
        problem,
        path=found.annotation,
        hint=f"{hint}{'; ' if hint else ''}it has the {what} {kinds}",
    )


def _splice_sites(found: Survey, features: Sequence[str]) -> Draft:
    candidates = features or (("*",) if found.is_bed else ("exon", "CDS"))
    for kind in candidates:
        classes: Rules = {
            "donor": {"letter": "D", "feature": kind, "boundary": "introns_start", "bases": 2},
            "acceptor": {"letter": "A", "feature": kind, "boundary": "introns_end", "bases": 2},
        }
        if all(found.finds(ClassRule.model_validate(rule)) for rule in classes.values()):
            break
    else:
        raise _refusal(
            found,
            "has no introns for template splice-sites",
            "introns lie between the exons (or CDS) of one transcript, which need Parent= (GFF3) "
            "or transcript_id (GTF), or between the blocks of BED with 12 columns",
        )
    places = found.places({n: ClassRule.model_validate(rule) for n, rule in classes.items()})
    said = []
    for name, usual in (("donor", "GT"), ("acceptor", "AG")):
        words = found.words(places[name].loci)
        share = 100 * words[usual] / max(sum(words.values()), 1)
        if share < _LEAST_CANONICAL:
            raise _refusal(
                found,
                f"has {places[name].features:,} gaps between the pieces of features, but "
                f"{share:.1f} % of them have a {name} {usual}, so they are no introns",
            )
        others = ", ".join(f"{word} {n:,}" for word, n in words.most_common(4) if word != usual)
        others = f" ({others})" if others else ""
        said.append(f"{name}s that read {usual}: {share:.1f} %{others}")
    why = {"donor": "The first two bases of each intron.", "acceptor": "And the last two."}
    introns = (
        "# Introns in the GFF3, by gene: a donor before an acceptor.",
        "genome: {introns: true}",
    )
    return Draft(classes, why, said, window=400, prediction=introns)


def _genes(found: Survey, features: Sequence[str]) -> Draft:
    kind = features[0] if features else "CDS"
    if kind not in found.kinds:
        raise _refusal(found, f"has no {kind} for template genes")
    rule: dict[str, Any] = {"letter": "C", "feature": kind}
    why = {"cds": "Coding bases on their strand."}
    introns = found.finds(
        ClassRule.model_validate({"feature": kind, "boundary": "introns_start", "bases": 1})
    )
    if introns > 0.02 * found.kinds[kind]:
        said = [f"introns between {kind}: {introns:,}; coding bases are labelled, not whole genes"]
        return Draft({"cds": rule}, why, said, window=0)
    places = found.places({"cds": ClassRule.model_validate(rule)})["cds"]
    said = []
    if places.broken:
        said = [
            f"CDS that do not divide by three, kept as labels: {len(places.broken):,}, "
            f"{named(places.broken, 5)}; leave them out with frame: whole"
        ]
    grammar = "{genes: C}", "Whole genes are called, from start to stop codon (docs/genomes.md)."
    return Draft({"cds": rule}, why, said, window=0, extra={"grammar": grammar}, formats=_GENES)


def _promoters(found: Survey, features: Sequence[str]) -> Draft:
    classes: Rules = {}
    why: dict[str, str] = {}
    starts = [kind for kind in features or _START_KINDS if kind in found.kinds]
    boxes = [kind for kind in _PROMOTER_KINDS if kind in found.kinds]
    if features:
        starts, boxes = [], list(features)
    small = sum(found.lengths.values()) < 15_000_000
    if starts:
        if small:
            classes["minus10"] = {"letter": "M", "feature": starts, "offset": [-12, -7]}
            why["minus10"] = (
                "Where bacteria have the -10 box; leave it out for a genome that has none."
            )
        classes["tss"] = {"letter": "T", "feature": starts, "boundary": "start", "bases": 1}
        why["tss"] = "The first base of each transcript."
    for kind in boxes:
        classes[_class_name(kind)] = _site_rule(found, [kind])
        why[_class_name(kind)] = f"Features '{kind}'."
    if not classes:
        kinds = [kind for kind in _TRANSCRIPT_KINDS if kind in found.kinds]
        if not kinds:
            raise _refusal(
                found,
                "has no transcription starts or promoters for template promoters",
                "they are features such as TSS, promoter or mRNA; give others with --feature",
            )
        classes["tss"] = {"letter": "T", "feature": kinds, "boundary": "start", "bases": 1}
        why["tss"] = f"The first base of each {' or '.join(kinds)}."
    return Draft(classes, why, window=240)


def _motif(found: Survey, features: Sequence[str]) -> Draft:
    named_often = [k for k, n in found.kinds.most_common() if n >= _LEAST_SITES and k != "."]
    groups: dict[str, list[str]] = {}
    if features:
        groups = {_class_name(kind): [kind] for kind in features}
    elif not found.is_bed:
        groups = {_class_name(kind): [kind] for kind in _SITE_KINDS if kind in found.kinds}
        if not groups:
            raise _refusal(
                found,
                "has no binding sites for template motif",
                f"they are features such as {', '.join(_SITE_KINDS[:3])}; give others with "
                "--feature",
            )
    elif 0 < len(named_often) == len(found.kinds) <= _MOST_NAMES:
        groups = {_class_name(kind): [kind] for kind in named_often}
    else:
        # Names such as peak_1 say nothing, and too few sites of a name are not to be learned.
        groups = {"site": ["*"]}
    classes = {name: _site_rule(found, kinds) for name, kinds in groups.items()}
    why = {name: f"Features {', '.join(map(repr, kinds))}." for name, kinds in groups.items()}
    widest = max(rule.get("bases") or _width(found, groups[n]) for n, rule in classes.items())
    wanted = [one for kinds in groups.values() for one in kinds]
    chosen = [one for one in found.features if one.line.kind in wanted or "*" in wanted]
    both = sum(one.strand == "." for one in chosen)
    said = [f"sites without a strand, labelled on both: {both:,}"] if both else []
    few = {n: p for n, p in _features(found, classes).items() if p < _LEAST_SITES}
    said += [f"warning: {n:,} sites of {name} are few" for name, n in few.items()]
    return Draft(classes, why, said, window=widest + 120, motifs=True)


def _features(found: Survey, classes: Rules) -> dict[str, int]:
    rules = {name: ClassRule.model_validate(rule) for name, rule in classes.items()}
    return {name: places.features for name, places in found.places(rules).items()}


def _site_rule(found: Survey, kinds: Sequence[str]) -> dict[str, Any]:
    # Sites of one width as they are; of peaks the summit, or the middle.
    feature: Any = list(kinds) if len(kinds) > 1 else kinds[0]
    chosen = [one for one in found.features if one.line.kind in kinds or "*" in kinds]
    widths = Counter(one.end - one.start for one in chosen)
    if len(widths) == 1 and max(widths) <= LARGEST_SITE:
        return {"feature": feature}
    bases = min(int(statistics.median(widths.elements())), 21) | 1
    boundary = "summit" if all(one.summit is not None for one in chosen) else "center"
    return {"feature": feature, "boundary": boundary, "bases": bases}


def _width(found: Survey, kinds: Sequence[str]) -> int:
    return max(
        one.end - one.start for one in found.features if one.line.kind in kinds or "*" in kinds
    )


def _class_name(kind: str) -> str:
    plain = "".join(c if c.isalnum() or c in "_-" else "_" for c in kind).strip("_")
    return {"-10_signal": "minus10", "-35_signal": "minus35"}.get(kind, plain.lstrip("-") or "site")


_DRAFTS: Mapping[GenomeTemplate, Callable[[Survey, Sequence[str]], Draft]] = {
    "splice-sites": _splice_sites,
    "genes": _genes,
    "promoters": _promoters,
    "motif": _motif,
}
