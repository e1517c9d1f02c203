"""Tables by segment and by sequence, tab-separated.

``segments`` has one line per segment: ``id, start, end`` (1-based, both inside)``, label,
class, length, confidence`` (mean probability of the class, to four decimals). Segments of the
background are included, so that the segments cover a sequence, unless residues have no confident
label or segments are too short. Segments of further labels follow. Regions of values, such as
disordered ones, are lines as well, with their name as class, the name of the value as label, and
its mean in a last column, ``mean``, which is there if any can be.

``summary`` has one line per sequence: ``id, length, confidence`` (mean probability of the most
probable class), ``fraction_<letter>`` for each class, ``fraction_?`` (residues without a
confident label), and ``longest_<letter>``, residues of the longest segment of each class. A model
that reads profiles adds ``depth``, the sequences in the alignment. Membrane topology adds ``kind,
signal_peptide`` (its probability)``, cleavage_site`` (the last residue before it)``,
cleavage_probability, helices, strands, n_terminus, type, topology``: see
:class:`grubio.sequences.topology.Topology`. Values whose regions are called add ``mean_<value>``,
``<region>_regions``, ``<region>_residues`` and ``longest_<region>``. What a protein does not have
is an empty cell.
"""

from collections.abc import Iterator

from grubio.inference.labelled_sequence import LabelledSequence, segments_of
from grubio.sequences.scheme import UNKNOWN_LABEL
from grubio.sequences.segments import Segment
from grubio.sequences.topology import roles_of
from grubio.writers.text import Content, TextFormat, tsv_line


def _has_regions(content: Content) -> bool:
    return any(target.regions is not None for target in content.additional)


class SegmentFormat(TextFormat[LabelledSequence]):
    """One line per segment."""

    def header(self) -> str:
        """Return the line of column names."""
        names = ("id", "start", "end", "label", "class", "length", "confidence")
        return tsv_line(*names, *["mean"] * _has_regions(self.content))

    def text(self, item: LabelledSequence) -> str:
        """Return the segments of one sequence."""
        rest = [""] * _has_regions(self.content)
        lines = [
            tsv_line(
                *(item.id, s.start, s.end, s.label, s.class_name, len(s), f"{s.confidence:.4f}"),
                *rest,
            )
            for s in _segments(item)
        ]
        lines += [
            tsv_line(item.id, r.start, r.end, r.target, r.name, len(r), "", f"{r.mean:.4f}")
            for r in item.regions()
        ]
        return "".join(lines)


def _segments(item: LabelledSequence) -> Iterator[Segment]:
    for own in item.labellings:
        yield from item.segments() if own.target is None else segments_of(own)


class SummaryFormat(TextFormat[LabelledSequence]):
    """One line per sequence."""

    def __init__(self, content: Content) -> None:
        super().__init__(content)
        self._topology = any(map(roles_of, content.schemes))

    def header(self) -> str:
        """Return the line of column names."""
        letters = self.content.scheme.letters
        names = ["id", "length"]
        if letters:
            names += ["confidence", *(f"fraction_{letter}" for letter in (*letters, UNKNOWN_LABEL))]
            names += [f"longest_{letter}" for letter in letters]
        if self.content.depth:
            names.append("depth")
        if self._topology:
            names += ["kind", "signal_peptide", "cleavage_site", "cleavage_probability", "helices"]
            names += ["strands", "n_terminus", "type", "topology"]
        for target in self.content.additional:
            if target.regions is not None:
                name = target.regions.name
                names += [f"mean_{target.name}", f"{name}_regions", f"{name}_residues"]
                names.append(f"longest_{name}")
        return tsv_line(*names)

    def text(self, item: LabelledSequence) -> str:
        """Return the line of one sequence."""
        cells: list[object] = [item.id, len(item)]
        if item.scheme.size:
            found = item.summary()
            shares = [found.confidence, *found.fractions.values(), found.unlabelled]
            cells += [f"{share:.4f}" for share in shares]
            cells += found.longest.values()
        if self.content.depth:
            cells.append(item.depth or 0)
        if self._topology:
            cells += _topology_cells(item)
        for target in self.content.additional:
            if target.regions is not None:
                sizes = [len(region) for region in item.regions() if region.target == target.name]
                mean = f"{item.predicted(target.name).mean():.4f}"
                cells += [mean, len(sizes), sum(sizes), max(sizes, default=0)]
        return tsv_line(*cells)


def _topology_cells(item: LabelledSequence) -> list[object]:
    found = item.topology()
    if found is None:
        return [""] * 9
    return [
        found.kind,
        f"{found.signal_probability:.4f}",
        found.cleavage or "",
        "" if found.cleavage_probability is None else f"{found.cleavage_probability:.4f}",
        len(found.helices),
        len(found.strands),
        found.n_terminus or "",
        found.type,
        found.string,
    ]
