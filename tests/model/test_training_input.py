"""What a model keeps of its training sequences, and which inputs are unlike them."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pytest

from grubio.fetching.embedded import embedded_path
from grubio.model.bundle import load_metadata
from grubio.model.training_input import divergence, training_input, unlike_training
from grubio.model.zoo import find_model
from grubio.readers.fasta import read_fasta
from grubio.sequences.alphabet import DNA, PROTEIN
from grubio.sequences.locus import reverse_complement

SHARED = Path(__file__).parents[3] / "shared" / "data"
CODONS = "ATGAAAGCGATTCTGGGCGAACTGCGTCAG"


def bases(length: int, gc: float, seed: int = 0) -> str:
    shares = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length, p=shares))


def test_words_of_dna_are_counted_on_both_strands() -> None:
    text = bases(5000, 0.4) + "NNN" + CODONS
    kept = [
        training_input([DNA.encode(strand)], DNA, 160)
        for strand in (text, reverse_complement(text), text.replace("T", "U"))
    ]
    assert kept[0] == kept[1] == kept[2]
    assert kept[0]["lengths"] == [160, 160]
    shares = [int(share) for share in kept[0]["words"].split()]
    assert len(shares) == 64
    assert sum(shares) == pytest.approx(1_000_000, abs=64)
    # AAC is AAC on one strand and GTT on the other.
    both = sum(text.startswith(word, at) for word in ("AAC", "GTT") for at in range(len(text)))
    assert shares[1] == pytest.approx(1e6 * both / (2 * (len(text) - 2 - 5)), abs=1)
    assert divergence(kept[0], DNA, [text])[0] == pytest.approx(0, abs=1e-6)
    assert divergence(kept[0], DNA, ["NNNN", "AC", ""]) == (0, 0)


def test_residues_and_lengths_of_proteins_are_kept() -> None:
    chains = ["MKTAYIAK" * n for n in range(1, 101)]
    kept = training_input(map(PROTEIN.encode, chains), PROTEIN, 400)
    assert kept["words"].startswith("250000 ")
    assert kept["lengths"][1] == 400
    training = {"input": kept}
    alike = "MKTAYIAK" * 20
    assert unlike_training(training, PROTEIN, [alike], whole=True) is None
    told = unlike_training(training, PROTEIN, ["MKTAYIAK" * 60] * 2 + [alike], whole=True)
    assert told is not None
    assert "most sequences are longer than those of training" in told
    assert unlike_training(training, PROTEIN, ["MKTAYIAK" * 60], whole=False) is None
    assert "shorter" in (unlike_training(training, PROTEIN, ["MKT"], whole=False) or "")
    # Models of before kept nothing.
    assert unlike_training({}, PROTEIN, ["Q" * 500], whole=True) is None


@pytest.mark.parametrize("name", ["ecoli-promoters", "ecoli-genes"])
@pytest.mark.parametrize("gc", [0.32, 0.67])
@pytest.mark.parametrize("length", [5_000, 20_000, 200_000])
def test_a_genome_of_another_composition_is_told(name: str, gc: float, length: int) -> None:
    training = load_metadata(find_model(name))["training"]
    told = unlike_training(training, DNA, ["N" * 150_000 + bases(length, gc)], whole=False)
    assert told is not None
    assert f"{100 * gc:.0f} % GC" in told or f"{100 * gc - 1:.0f} % GC" in told or length == 5_000
    assert "51 % in training" in told


@pytest.mark.parametrize("name", ["protein-ss", "protein-ss-fast"])
def test_ordinary_proteins_are_like_those_of_training(name: str) -> None:
    training = load_metadata(find_model(name))["training"]
    example = [record.sequence for record in read_fasta(embedded_path("example-proteins"))]
    assert unlike_training(training, PROTEIN, example, whole=True) is None
    for low in ("GGGGS" * 40, "Q" * 200, "GPPGPAGPP" * 30):
        assert "composition" in (unlike_training(training, PROTEIN, [low], whole=True) or "")


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data")
def test_another_escherichia_and_a_proteome_are_like_training() -> None:
    training = load_metadata(find_model("ecoli-genes"))["training"]
    genome = next(read_fasta(SHARED / "dna/GCF_000005845.2_ASM584v2_genomic.fna.gz")).sequence
    half = np.array(list(genome[len(genome) // 2 :]))
    generator = np.random.default_rng(1)
    changed = generator.random(len(half)) < 0.1
    half[changed] = generator.choice(list("ACGT"), changed.sum(), p=[0.245, 0.255, 0.255, 0.245])
    relative = "".join(half)
    assert unlike_training(training, DNA, [relative], whole=False) is None
    contigs = [relative[at : at + 5000] for at in range(0, len(relative) - 5000, 5000)]
    assert unlike_training(training, DNA, contigs, whole=False) is None
    alone = [unlike_training(training, DNA, [contig], whole=False) for contig in contigs]
    assert len(list(filter(None, alone))) <= 0.02 * len(contigs)
    training = load_metadata(find_model("protein-ss"))["training"]
    with lzma.open(SHARED / "ss/human_alphafold_ss8.tsv.xz", "rt") as lines:
        human = [line.split("\t")[1] for line, _ in zip(lines, range(2000), strict=False)]
    warned = [
        unlike_training(training, PROTEIN, human[at : at + 100], whole=True)
        for at in range(0, 2000, 100)
    ]
    assert not any(warned)
