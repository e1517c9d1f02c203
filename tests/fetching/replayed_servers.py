"""The servers of accessions on this machine: answers by host and path, with faults on demand.

The answers have the form that the services document; nothing was recorded from the services
themselves.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

UNIPROT, EUTILS = "rest.uniprot.org/uniprotkb", "eutils.ncbi.nlm.nih.gov/entrez/eutils"
DATASETS = "api.ncbi.nlm.nih.gov/datasets/v2/genome/accession"
PROTEIN = ">sp|P0CG48|UBC_HUMAN Polyubiquitin-C\nMQIFVKTLTGKTITLEVEPSD\nTIENVKAKIQ\n"
GENOME = ">NC_000913.3 Escherichia coli str. K-12\nAGCTTTTCATTCTGACTGCA\n"
GFF3 = "##sequence-region NC_000913.3 1 20\nNC_000913.3\tx\tCDS\t2\t10\t.\t+\t0\tID=a\n"
STRUCTURE = b"data_1UBQ\n_entry.id 1UBQ\n"


@dataclass
class Answer:
    """What a path answers: a status, a body, and headers."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def text(content: str, status: int = 200, **headers: str) -> Answer:
    return Answer(content.encode(), status, headers)


def as_json(content: object) -> Answer:
    return Answer(json.dumps(content).encode())


def archive(**files: str) -> Answer:
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w") as opened:
            opened.writestr("README.md", "about it")
            for name, content in files.items():
                opened.writestr(f"ncbi_dataset/data/{name}", content)
        return Answer(buffer.getvalue())


ANSWERS: dict[str, Answer] = {
    f"{UNIPROT}/P0CG48.fasta": text(PROTEIN),
    f"{UNIPROT}/P0CG48-2.fasta": text(PROTEIN.replace("P0CG48", "P0CG48-2")),
    # An accession that was merged is redirected; one that was demerged or deleted is empty.
    f"{UNIPROT}/P02248.fasta": Answer(status=303, headers={"Location": "P0CG48.fasta"}),
    f"{UNIPROT}/P62988.fasta": text(""),
    f"{UNIPROT}/P62988.json": as_json(
        {
            "entryType": "Inactive",
            "inactiveReason": {
                "inactiveReasonType": "DEMERGED",
                "mergeDemergeTo": ["P0CG47", "P0CG48"],
            },
        }
    ),
    f"{UNIPROT}/A0A000AAA0.fasta": text(""),
    f"{UNIPROT}/A0A000AAA0.json": as_json(
        {"entryType": "Inactive", "inactiveReason": {"inactiveReasonType": "DELETED"}}
    ),
    f"{UNIPROT}/stream?format=fasta&compressed=true&query=proteome:UP000005640": Answer(
        gzip.compress(PROTEIN.encode())
    ),
    f"{EUTILS}/efetch.fcgi?db=nuccore&id=NC_000913.3&rettype=fasta&retmode=text&tool=grubio": text(
        GENOME
    ),
    f"{EUTILS}/efetch.fcgi?db=protein&id=NP_414542.1&rettype=fasta&retmode=text&tool=grubio": text(
        ">NP_414542.1 thr operon leader peptide\nMKRISTTITTTITITTGNGAG\n"
    ),
    f"{EUTILS}/efetch.fcgi?db=nuccore&id=NC_000001.1&rettype=fasta&retmode=text&tool=grubio": text(
        "Failed to retrieve sequence: NC_000001.1\n", 400
    ),
    f"{EUTILS}/esummary.fcgi?db=nuccore&id=NC_000001.1&retmode=json&tool=grubio": as_json(
        {"result": {"uids": ["7"], "7": {"status": "replaced", "replacedby": "NC_000001.11"}}}
    ),
    "www.ncbi.nlm.nih.gov/sviewer/viewer.cgi?db=nuccore&report=gff3&id=NC_000913.3": text(GFF3),
    f"{DATASETS}/GCF_000005845.2/download?include_annotation_type=GENOME_FASTA": archive(
        **{"GCF_000005845.2/GCF_000005845.2_ASM584v2_genomic.fna": GENOME}
    ),
    f"{DATASETS}/GCF_000005845.2/download?include_annotation_type=GENOME_GFF": archive(
        **{"GCF_000005845.2/genomic.gff": f"##gff-version 3\n{GFF3}"}
    ),
    f"{DATASETS}/GCF_000005845.1/download?include_annotation_type=GENOME_FASTA": archive(),
    f"{DATASETS}/GCF_000005845.1/dataset_report": as_json(
        {
            "reports": [
                {
                    "current_accession": "GCF_000005845.2",
                    "assembly_info": {"assembly_status": "previous"},
                }
            ]
        }
    ),
    "www.rcsb.org/fasta/entry/1UBQ": text(">1UBQ_1|Chain A|UBIQUITIN|Homo sapiens\nMQIFVKTLTG\n"),
    "files.rcsb.org/download/1UBQ.cif.gz": Answer(gzip.compress(STRUCTURE)),
    "data.rcsb.org/rest/v1/holdings/status/1CAT": as_json(
        {
            "rcsb_repository_holdings_combined": {
                "status": "REMOVED",
                "id_code_replaced_by_latest": "8CAT",
            }
        }
    ),
    "rest.ensembl.org/sequence/id/ENSP00000344818?content-type=text/x-fasta&type=protein": text(
        ">ENSP00000344818.4\nMQIFVKTLTG\n"
    ),
    "rest.ensembl.org/archive/id/ENSG00000000001?content-type=application/json": as_json(
        {"is_current": "0", "release": "99", "possible_replacement": [{"stable_id": "ENSG2"}]}
    ),
    "rest.ensembl.org/archive/id/ENSG00000000002?content-type=application/json": as_json(
        {"is_current": "", "release": "75", "possible_replacement": []}
    ),
    "alphafold.ebi.ac.uk/api/prediction/P0CG48": as_json(
        [{"cifUrl": "https://alphafold.ebi.ac.uk/files/AF-P0CG48-F1-model_v6.cif"}]
    ),
    "alphafold.ebi.ac.uk/files/AF-P0CG48-F1-model_v6.cif": Answer(b"data_AF-P0CG48-F1\n#\n"),
}


@dataclass
class Servers:
    """Where the servers are, what they answer, the faults to come, and what was asked."""

    address: str = ""
    answers: dict[str, Answer] = field(default_factory=lambda: dict(ANSWERS))
    faults: list[Answer | str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)


@contextlib.contextmanager
def replayed_servers() -> Iterator[Servers]:
    """Start a server that has all of them below their host names."""
    state = Servers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path).lstrip("/")
            state.asked.append(path)
            state.agents.add(self.headers.get("User-Agent", ""))
            answer = state.answers.get(path, Answer(b"not found", 404))
            fault = state.faults.pop(0) if state.faults else ""
            answer = fault if isinstance(fault, Answer) else answer
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name.replace("_", "-"), value)
            body = answer.body
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if fault == "truncate" else body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.address = f"http://127.0.0.1:{http.server_port}"
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}).start()
        try:
            yield state
        finally:
            http.shutdown()
