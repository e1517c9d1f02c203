"""Where the file of an accession comes from, whether it is whole, and what became of it if not.

The addresses are the documented REST interfaces of UniProt, NCBI (E-utilities and Datasets), RCSB
PDB, Ensembl and AlphaFold DB; the GFF3 of a single nucleotide sequence is that of NCBI's viewer.
They are asked directly and not through Biopython's ``Bio.Entrez``: that is no part of an
installation that labels, has no time limit, knows no other process that asks, ignores
``Retry-After``, and does not repeat a request whose answer breaks off.

``GRUBIO_MIRROR`` names a server that has all of them below their host names, as
``http://mirror/rest.uniprot.org/uniprotkb/P0CG48.fasta``.
"""

from __future__ import annotations

import gzip
import os
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from grubio.config.accessions import Accession
from grubio.errors import GrubioError
from grubio.fetching.transfer import Interrupted

Ask = Callable[[str], Any]
"""Returns what an address answers in JSON, or None."""

_UNIPROT = "https://rest.uniprot.org/uniprotkb"
_EUTILS = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
_DATASETS = "https://api.ncbi.nlm.nih.gov/datasets/v2/genome/accession"
_ENSEMBL = "https://rest.ensembl.org"
_TYPES = {"P": "protein", "T": "cdna", "G": "genomic"}
_FIRST = {"fasta": (b">",), "gff3": (b"##gff-version", b"##sequence-region"), "cif": (b"data_",)}
_BROKEN_STREAM = b"Error encountered when streaming data"


@dataclass(frozen=True)
class Request:
    """What to ask for an accession.

    Attributes
    ----------
    url
        The address.
    member
        If the answer is a ZIP archive: a regular expression for the file that is meant.
    """

    url: str
    member: str | None = None


def request_of(accession: Accession, ask: Ask) -> Request:
    """Return what to ask for an accession.

    Raises
    ------
    GrubioError
        If the source, asked by ``ask``, has no such file.
    """
    name, form = quote(accession.name, safe="/"), accession.format
    if accession.source == "uniprot":
        if name.startswith("proteome/"):
            query = f"query=proteome:{name.removeprefix('proteome/')}"
            return Request(f"{_UNIPROT}/stream?format=fasta&compressed=true&{query}")
        return Request(f"{_UNIPROT}/{name}.fasta")
    if accession.source == "ncbi":
        return _request_of_ncbi(name, form)
    if accession.source == "pdb":
        if form == "cif":
            return Request(f"https://files.rcsb.org/download/{name}.cif.gz")
        return Request(f"https://www.rcsb.org/fasta/entry/{name.upper()}")
    if accession.source == "ensembl":
        found = re.fullmatch(r"ENS[A-Z]*([PTG])\d{11}(?:\.\d+)?", name)
        kind = f"&type={_TYPES[found[1]]}" if found else ""
        # The interface takes no version.
        bare = name.partition(".")[0] if found else name
        return Request(f"{_ENSEMBL}/sequence/id/{bare}?content-type=text/x-fasta{kind}")
    known = ask(f"https://alphafold.ebi.ac.uk/api/prediction/{name}")
    try:
        return Request(str(known[0]["cifUrl"]))
    except (TypeError, LookupError):
        raise GrubioError(
            f"AlphaFold DB has no structure of {accession.name}", path=accession.word
        ) from None


def _request_of_ncbi(name: str, form: str) -> Request:
    if name.startswith(("GCF_", "GCA_")):
        kind, member = {
            "fasta": ("GENOME_FASTA", r".*_genomic\.fna"),
            "gff3": ("GENOME_GFF", r".*genomic\.gff"),
        }[form]
        return Request(f"{_DATASETS}/{name}/download?include_annotation_type={kind}", member)
    if form == "gff3":
        viewer = "https://www.ncbi.nlm.nih.gov/sviewer/viewer.cgi"
        return Request(f"{viewer}?db=nuccore&report=gff3&id={name}")
    query = f"db={_database(name)}&id={name}&rettype=fasta&retmode=text&tool=grubio"
    return Request(f"{_EUTILS}/efetch.fcgi?{query}")


def _database(name: str) -> str:
    protein = re.fullmatch(r"(?:[NXWYA]P_\d+|[A-Z]{3}\d{5,7})(?:\.\d+)?", name)
    return "protein" if protein else "nuccore"


def mirrored(url: str) -> str:
    """Return the address of a URL on the mirror, if there is one."""
    mirror = os.environ.get("GRUBIO_MIRROR", "").rstrip("/")
    return f"{mirror}/{url.removeprefix('https://')}" if mirror else url


def require_whole(path: Path, accession: Accession, archive: bool) -> None:
    """Do nothing if a file looks like a whole answer.

    Raises
    ------
    grubio.fetching.transfer.Interrupted
        If it was cut off, or is a page in place of the file.
    """
    try:
        if archive:
            with zipfile.ZipFile(path) as opened:
                if damaged := opened.testzip():
                    raise Interrupted(f"'{damaged}' in the archive is damaged")
            return
        first, last = _ends(path, accession.file_name.endswith(".gz"))
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise Interrupted(f"the answer is not whole ({error})") from error
    if _BROKEN_STREAM in last:
        raise Interrupted("the server broke off in the middle")
    if first.lstrip()[:1] == b"<":
        raise Interrupted("the server sent a page in place of the file")


def _ends(path: Path, compressed: bool) -> tuple[bytes, bytes]:
    # The first and the last bytes of what is inside; all of it is read.
    with gzip.open(path) if compressed else open(path, "rb") as opened:
        first = last = opened.read(1 << 16)
        while block := opened.read(1 << 20):
            last = last[-200:] + block
    return first[:400], last[-400:]


def require_meant(path: Path, accession: Accession, ask: Ask) -> None:
    """Do nothing if a file holds what an accession names.

    Raises
    ------
    GrubioError
        If it is empty, of another format, or about another entry.
    """
    first, _ = _ends(path, accession.file_name.endswith(".gz"))
    if not first.lstrip().startswith(_FIRST[accession.format]):
        said = first.decode("utf-8", "replace").strip().splitlines()
        answer = f"the server answered: {said[0][:100]}" if said else "the server sent nothing"
        raise gone(accession, ask, answer)
    if accession.source == "uniprot" and not accession.name.startswith("proteome/"):
        found = re.match(r">\w+\|([A-Z0-9-]+)\|", first.decode("utf-8", "replace"))
        if found and found[1] != accession.name:
            raise _merged(accession, [found[1]])


def gone(accession: Accession, ask: Ask, otherwise: str) -> GrubioError:
    """Return the error on an accession that its source does not give, asking what became of it.

    ``otherwise`` is the message if the source knows nothing about it.
    """
    name = quote(accession.name)
    explain = {
        "uniprot": _inactive_in_uniprot,
        "ncbi": _inactive_in_ncbi,
        "pdb": _inactive_in_pdb,
        "ensembl": _inactive_in_ensembl,
    }.get(accession.source)
    try:
        found = explain(name, ask) if explain else None
    except (LookupError, TypeError, AttributeError):
        found = None
    if found is None:
        hint = f"look for it: is {accession.name} written right?"
        return GrubioError(otherwise, path=accession.word, hint=hint)
    reason, others = found
    if others:
        return _merged(accession, others)
    return GrubioError(f"{accession.name} was withdrawn ({reason})", path=accession.word)


def _merged(accession: Accession, others: list[str]) -> GrubioError:
    form = "" if accession.is_default else f"/{accession.format}"
    words = " or ".join(f"{accession.source}:{other}{form}" for other in others)
    return GrubioError(
        f"{accession.name} was merged into {', '.join(others)}",
        path=accession.word,
        hint=f"fetch {words}",
    )


# Each returns why an entry is not there, and what it was replaced by; None if that is not known.
Inactive = tuple[str, list[str]] | None


def _inactive_in_uniprot(name: str, ask: Ask) -> Inactive:
    if name.startswith("proteome/"):
        known = ask(f"https://rest.uniprot.org/proteomes/{name.removeprefix('proteome/')}.json")
        return ("proteome is excluded", []) if known["proteomeType"] == "Excluded" else None
    reason = ask(f"{_UNIPROT}/{name.partition('-')[0]}.json")["inactiveReason"]
    return str(reason["inactiveReasonType"]).lower(), list(reason.get("mergeDemergeTo", []))


def _inactive_in_ncbi(name: str, ask: Ask) -> Inactive:
    if name.startswith(("GCF_", "GCA_")):
        report = ask(f"{_DATASETS}/{name}/dataset_report")["reports"][0]
        status, current = report["assembly_info"]["assembly_status"], report["current_accession"]
        if status == "current":
            return None
        return str(status), [current] if current != name else []
    query = f"db={_database(name)}&id={name}&retmode=json&tool=grubio"
    result = ask(f"{_EUTILS}/esummary.fcgi?{query}")["result"]
    known = result[result["uids"][0]]
    if known["status"] in ("", "live"):
        return None
    return str(known["status"]), [known["replacedby"]] if known.get("replacedby") else []


def _inactive_in_pdb(name: str, ask: Ask) -> Inactive:
    known = ask(f"https://data.rcsb.org/rest/v1/holdings/status/{name.upper()}")
    held = known["rcsb_repository_holdings_combined"]
    if held["status"] == "CURRENT":
        return None
    by = held.get("id_code_replaced_by_latest")
    return str(held["status"]).lower(), [by] if by else []


def _inactive_in_ensembl(name: str, ask: Ask) -> Inactive:
    bare = name.partition(".")[0]
    known = ask(f"{_ENSEMBL}/archive/id/{bare}?content-type=application/json")
    if str(known["is_current"]) == "1":
        return None
    others = [str(other["stable_id"]) for other in known.get("possible_replacement") or []]
    return f"last in release {known.get('release', '?')}", others
