"""Tables as CSV (RFC 4180) that spreadsheets open as they are, and in which nothing that users wrote is a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

CONTENT_TYPE = "text/csv"

Cell = str | int | None


def csv_file(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The file, in UTF-8 with a mark that says so."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _harmless(cell: Cell) -> Cell:
    """A text that a spreadsheet would take for a formula is told to be one by an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
