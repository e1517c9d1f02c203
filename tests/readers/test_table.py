from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grubio.config import PrepareSettings, TargetSettings
from grubio.datasets.parquet import read_records
from grubio.datasets.prepare_sequences import prepare_dataset
from grubio.errors import GrubioError
from grubio.readers.parquet_table import read_parquet
from grubio.readers.table import read_table
from grubio.sequences.record import Record


def table(folder: Path, content: str | bytes) -> Path:
    path = folder / "x.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "id\tsequence\tlabels\na\tMKT\tHHC\n",
        "id,sequence,labels\r\na,MKT,HHC\r\n",
        "id;sequence;labels\na;MKT;HHC\n",
        "sep=;\nid;sequence;labels\na;MKT;HHC\n",
        '"id","sequence","labels"\n"a","MKT","HHC"\n',
        "\ufeffID, Sequence ,LABELS\na,MKT,HHC",
        "\n\nid\tsequence\tlabels\n\na\tMKT\tHHC\n\t\t\n",
        "id\tsequence\tlabels\ra\tMKT\tHHC\r",
        'id,note,sequence,labels\na,"one, two\nthree",MKT,HHC\n',
    ],
)
def test_tables_are_read_with_any_delimiter_and_dress(tmp_path: Path, text: str) -> None:
    assert list(read_table(table(tmp_path, text))) == [Record("a", "", "MKT", "HHC")]


@pytest.mark.parametrize("delimiter", "\t,;")
def test_columns_named_by_the_reader_go_with_any_delimiter(tmp_path: Path, delimiter: str) -> None:
    path = table(tmp_path, delimiter.join(("a", "MKT", "HHC")) + "\n")
    assert [r.labels for r in read_table(path, ["id", "sequence", "labels"])] == ["HHC"]


def test_a_quote_between_tabs_is_a_letter(tmp_path: Path) -> None:
    path = table(tmp_path, 'id\tsequence\tlabels\tdescription\na\tMKT\tHHC\t5" end\n')
    assert next(read_table(path)).description == '5" end'
    # But not where the names of the columns are quoted, as R writes them.
    path = table(tmp_path, '"id"\t"sequence"\t"labels"\n"a"\t"MKT"\t"HHC"\n')
    assert [(r.id, r.sequence, r.labels) for r in read_table(path)] == [("a", "MKT", "HHC")]


def test_a_sequence_may_be_longer_than_csv_takes_by_itself(tmp_path: Path) -> None:
    path = table(tmp_path, f"id,sequence,labels\na,{'M' * 200_000},{'H' * 200_000}\n")
    assert len(next(read_table(path))) == 200_000


@pytest.mark.parametrize(
    ("scheme", "labels"), [("ss3", "HEC"), ("ss8", "GBT"), ("topology=I:in,O:out", "IIO")]
)
def test_labels_are_those_of_the_column_that_the_scheme_names(
    tmp_path: Path, scheme: str, labels: str
) -> None:
    path = table(tmp_path, "id\tsequence\tss3\tss8\ttopology\na\tMKT\tHEC\tGBT\tIIO\n")
    settings = PrepareSettings(format="tsv", scheme=scheme)
    prepare_dataset([path], tmp_path / "o.parquet", settings)
    assert next(read_records(tmp_path / "o.parquet")).labels == labels


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"id\tsequence\tlabels\nprot\xe9\tMKT\tCCH\n", 2, "byte 0xe9 is not UTF-8"),
        (b"id,sequence,ss3\na,MKT,HHC\n", 1, "column ss3, and the scheme is ss8"),
        (b"id,sequence,note\na,MKT,HHC\n", 1, "no column labels"),
        (b"id sequence labels\na MKT HHC\n", 1, "no column id"),
        (b"id,sequence,labels\na,MKT\n", 2, "2 cells; 3 were expected"),
        (b'id,sequence,labels\na,"MKT,HHC\n', 2, "unexpected end of data"),
        (b"id,sequence,labels,labels\na,MKT,HHC,CCC\n", 1, "two columns labels"),
        ("id,sequence,labels\na,MK\u00adT,HHC\n".encode(), 2, "SOFT HYPHEN"),
        (b"id,sequence,labels\na,M\0T,HHC\n", 2, "binary"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(
    tmp_path: Path, content: bytes, line: int, message: str
) -> None:
    with pytest.raises(GrubioError, match=message) as refused:
        list(read_table(table(tmp_path, content)))
    assert refused.value.line == line


BY_RESIDUE = "id,position,residue,labels,split,mask\n"
BY_RESIDUE += "a,5,M,H,train,\na,6,K, ,train,\na,7,T,C,train,\nb,1,G,C,test,1\n"


def test_a_row_for_each_residue_is_read(tmp_path: Path) -> None:
    assert list(read_table(table(tmp_path, BY_RESIDUE))) == [
        Record("a", "", "MKT", "H C", None, None, "train"),
        Record("b", "", "G", "C", "1", None, "test"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "line", "position", "message"),
    [
        (",M,", ",ALA,", 2, 1, "residue: 'ALA' where one letter was expected"),
        (",T,", ",,", 4, 3, "residue: an empty cell where one letter was expected"),
        (",T,C,", ",T,,", 4, 3, "labels: an empty cell where one letter was expected"),
        ("a,7", "a,10", 4, 3, "not in order: position 10 comes after 6"),
        ("a,6", "a,5", 3, 2, "not in order: position 5 comes after 5"),
        ("a,7", "a,7A", 4, 3, "position '7A' is not a whole number"),
        ("C,train", "C,test", 4, 3, "split 'test' after 'train'"),
    ],
)
def test_rows_of_residues_that_do_not_fit_are_refused(
    tmp_path: Path, before: str, after: str, line: int, position: int, message: str
) -> None:
    assert before in BY_RESIDUE
    with pytest.raises(GrubioError, match=message) as refused:
        list(read_table(table(tmp_path, BY_RESIDUE.replace(before, after))))
    found = refused.value
    assert (found.record, found.line, found.position) == ("a", line, position)


@pytest.mark.parametrize("column", ["label", "topology"])
def test_a_null_among_the_labels_of_residues_is_refused(tmp_path: Path, column: str) -> None:
    rows: dict[str, list[str | None]] = {"id": ["a"] * 3, "residue": [*"MKT"]}
    rows |= {"label": [*"HHC"], "topology": [*"IMM"]} | {column: ["H", None, "C"]}
    pq.write_table(pa.table(rows), tmp_path / "x.parquet")
    settings = PrepareSettings(format="parquet")
    target = TargetSettings.model_validate("topology=I:inside,M:membrane")
    with pytest.raises(GrubioError, match="an empty cell where one letter was") as refused:
        prepare_dataset(
            [tmp_path / "x.parquet"], tmp_path / "o.parquet", settings, targets=[target]
        )
    assert (refused.value.record, refused.value.position) == ("a", 2)


@pytest.mark.parametrize("cell", [[*"HHC"], b"HHC"])
def test_letters_may_be_lists_or_bytes(tmp_path: Path, cell: object) -> None:
    rows = {"id": b"a", "sequence": [*"MKT"], "labels": cell, "mask": [1, 1, 0]}
    pq.write_table(pa.Table.from_pylist([rows]), tmp_path / "x.parquet")
    assert list(read_parquet(tmp_path / "x.parquet")) == [Record("a", "", "MKT", "HHC", "110")]


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("labels", 7, "3 residues but 1 characters of labels"),
        ("labels", ["H", "HE", "C"], "position 2: labels: 'HE' where one letter was expected"),
        ("labels", b"\xff", "labels: 'utf-8' codec can't decode"),
        ("sequence", ["M", None, "T"], "position 2: sequence: an empty cell"),
        ("topology", 7, "3 residues but 1 characters of topology"),
        ("plddt", 7.5, "3 residues but 1 values of plddt"),
        ("plddt", b"1,2", "3 residues but 2 values of plddt"),
        ("label_weights", 7, "3 residues but 1 values of label_weights"),
    ],
)
def test_cells_of_other_kinds_are_refused(
    tmp_path: Path, column: str, cell: object, message: str
) -> None:
    row = {"id": "a", "sequence": "MKT", "labels": "HHC", "topology": "IMM", "plddt": [1, 2, 3]}
    pq.write_table(pa.Table.from_pylist([row | {column: cell}]), tmp_path / "x.parquet")
    words = ("topology=I:inside,M:membrane", "plddt=0..100")
    targets = [TargetSettings.model_validate(word) for word in words]
    wanted = PrepareSettings(format="parquet")
    with pytest.raises(GrubioError, match=message) as refused:
        prepare_dataset([tmp_path / "x.parquet"], tmp_path / "o.parquet", wanted, targets=targets)
    assert refused.value.record == "a"


def test_lower_case_labels_are_classes_of_ss3_and_no_model_of_nothing(tmp_path: Path) -> None:
    path = table(tmp_path, "id\tsequence\tlabels\na\tMKT\thec\n")
    out = tmp_path / "o.parquet"
    with pytest.raises(
        GrubioError, match=r"no residue has a class of ss8.*of 3 residues"
    ) as refused:
        prepare_dataset([path], out, PrepareSettings(format="tsv"))
    assert refused.value.hint == "give --scheme ss3"
    assert not out.exists()
    prepare_dataset([path], out, PrepareSettings(format="tsv", scheme="ss3"))
    assert next(read_records(out)).labels == "HEC"
    table(tmp_path, "id\tsequence\tlabels\na\tMKT\t???\n")
    with pytest.raises(GrubioError, match="no residue has a known label"):
        prepare_dataset([path], out, PrepareSettings(format="tsv"))
