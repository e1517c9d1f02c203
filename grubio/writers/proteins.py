"""FASTA of the proteins of called genes, with their places in the header."""

from grubio.inference.called_features import CalledRegion
from grubio.sequences.called_feature import CalledGene
from grubio.writers.text import TextFormat

_LINE = 60


class ProteinFormat(TextFormat[CalledRegion]):
    """The protein of each gene, without the stop; a class without gene rules has none."""

    def text(self, item: CalledRegion) -> str:
        """Return the records of the genes that begin in a region."""
        return "".join(_record(one) for one in item.features if isinstance(one, CalledGene))


def _record(gene: CalledGene) -> str:
    locus = gene.locus
    cut = " partial" if gene.cut_before or gene.cut_after else ""
    name = f"{locus.contig}_{locus.start + 1}_{locus.end}_{locus.strand}"
    rows = [gene.protein[at : at + _LINE] for at in range(0, len(gene.protein), _LINE)]
    return "\n".join([f">{name} {locus}{cut} score={gene.score:.3f}", *rows]) + "\n"
