"""A made-up, SYNTHETIC genome with genes of several exons, as eukaryotes have them, and peaks.

Donors read GTAAGT or GTGAGT, acceptors a tract of pyrimidines and CAG. A third of the genes has a
second transcript, without one inner exon. Binding sites of TGACTCA are given as BED of fixed width
(``sites.bed``) and as peaks of differing width without a strand (``peaks.narrowPeak``). Some of the
sequence is lower case, has N or IUPAC letters; many contigs are shorter than a block.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from grubio.sequences.locus import reverse_complement

SITE = "TGACTCA"


def write_spliced_genome(
    folder: Path, contigs: int = 6, genes: int = 8, scraps: int = 20, seed: int = 1
) -> None:
    """Write ``genome.fa``, ``genes.gff3``, ``genes.gtf``, ``genes.bed12``, and the binding sites.

    Parameters
    ----------
    folder
        Where to write.
    contigs, genes
        Number of contigs, and of genes on each.
    scraps
        Number of contigs of 30 to 400 bases without genes.
    seed
        Seed of everything.
    """
    generator = np.random.default_rng(seed)
    fasta, gff, gtf, bed12 = [], ["##gff-version 3"], [], []
    sites: list[str] = []
    peaks: list[str] = []
    for number in range(contigs):
        contig = f"chr{number + 1}"
        text = ""
        for gene in range(genes):
            text += _dna(int(generator.integers(150, 400)), generator)
            sequence, exons = _gene(generator)
            strand = "+-"[int(generator.integers(2))]
            first = len(text)
            if strand == "-":
                sequence = reverse_complement(sequence)
                exons = [(len(sequence) - end, len(sequence) - start) for start, end in exons][::-1]
            text += sequence
            places = [(first + start, first + end) for start, end in exons]
            name = f"g{number}.{gene}"
            isoforms = [places]
            if gene % 3 == 0 and len(places) > 2:
                isoforms.append([places[0], *places[2:]])
            gff.append(_gff(contig, "gene", places[0][0], places[-1][1], strand, f"ID={name}"))
            for which, chosen in enumerate(isoforms, start=1):
                transcript = f"{name}.t{which}"
                ends = (chosen[0][0], chosen[-1][1])
                gff.append(_gff(contig, "mRNA", *ends, strand, f"ID={transcript};Parent={name}"))
                for place in chosen:
                    gff.append(_gff(contig, "exon", *place, strand, f"Parent={transcript}"))
                    told = f'gene_id "{name}"; transcript_id "{transcript}";'
                    gtf.append(_gff(contig, "exon", *place, strand, told))
                sizes = ",".join(str(end - start) for start, end in chosen)
                starts = ",".join(str(start - ends[0]) for start, _ in chosen)
                bed12.append(
                    f"{contig}\t{ends[0]}\t{ends[1]}\t{transcript}\t0\t{strand}\t{ends[0]}\t"
                    f"{ends[1]}\t0\t{len(chosen)}\t{sizes}\t{starts}"
                )
            text += _dna(60, generator)
            strand = "+-"[int(generator.integers(2))]
            site = (len(text), len(text) + len(SITE))
            text += SITE if strand == "+" else reverse_complement(SITE)
            sites.append(f"{contig}\t{site[0]}\t{site[1]}\tAP1\t0\t{strand}")
            low, high = site[0] - int(generator.integers(5, 30)), site[1] + 12
            peaks.append(
                f"{contig}\t{low}\t{high}\tpeak_{len(peaks) + 1}\t500\t.\t7.1\t12.0\t9.1\t"
                f"{site[0] + 3 - low}"
            )
            text += _dna(60, generator)
        # Soft-masked, unknown and ambiguous bases between the genes.
        text = text[:30] + "N" * 40 + text[70:80] + "RYSWKM" + text[86:100].lower() + text[100:]
        fasta.append(f">{contig} SYNTHETIC\n{text}")
    for number in range(scraps):
        scrap = _dna(int(generator.integers(30, 400)), generator)
        fasta.append(f">scrap{number + 1} SYNTHETIC\n{scrap}")
    for name, lines in {
        "genome.fa": fasta,
        "genes.gff3": gff,
        "genes.gtf": gtf,
        "genes.bed12": bed12,
        "sites.bed": sites,
        "peaks.narrowPeak": peaks,
    }.items():
        (folder / name).write_text("\n".join(lines) + "\n")


def _gene(generator: np.random.Generator) -> tuple[str, list[tuple[int, int]]]:
    text, exons = "", []
    count = int(generator.integers(2, 6))
    for exon in range(count):
        start = len(text)
        text += _dna(int(generator.integers(50, 160)), generator)
        exons.append((start, len(text)))
        if exon < count - 1:
            donor = "GT" + "AG"[int(generator.integers(2))] + "AGT"
            tract = "".join(generator.choice(list("CT"), 12))
            text += donor + _dna(int(generator.integers(40, 150)), generator) + tract + "CAG"
    return text, exons


def _dna(length: int, generator: np.random.Generator) -> str:
    return "".join(generator.choice(list("ACGT"), length))


def _gff(contig: str, kind: str, start: int, end: int, strand: str, attributes: str) -> str:
    return f"{contig}\tsynthetic\t{kind}\t{start + 1}\t{end}\t.\t{strand}\t.\t{attributes}"
