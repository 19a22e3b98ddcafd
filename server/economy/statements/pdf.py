"""A statement as PDF, A4. Takes a tenth of a second and more: made beside the event loop (`as_pdf` in a thread)."""

import logging
from pathlib import Path

from fpdf import FPDF, FontFace
from fpdf.enums import TableBordersLayout, XPos, YPos

from server.domain.money import in_words
from server.economy.statements.monthly import Line, Statement

_FONT_FILE = Path(__file__).parent / "fonts" / "DejaVuSansCondensed.ttf"
_FONT = "DejaVu"
_MARGIN_MM = 18
_INK, _MUTED, _LINE = (23, 18, 31), (95, 86, 107), (226, 218, 233)
_COLUMN_SHARES = (15, 49, 18, 18, 18)
_HEADINGS = ("Date", "What", "Money", "Diamonds", "Balance")


# That a font lacks a character of a name is nothing that an operator should hear of.
for _library in ("fpdf", "fontTools"):
    logging.getLogger(_library).setLevel(logging.ERROR)


class _Page(FPDF):
    """Puts a number under each page."""

    def footer(self) -> None:
        self.set_y(-_MARGIN_MM)
        self.set_font(_FONT, size=8)
        self.set_text_color(*_MUTED)
        self.cell(0, 6, f"Page {self.page_no()} of {{nb}}", align="C")


def as_pdf(statement: Statement) -> bytes:
    """The file. Characters that its font lacks are left out; the ids beside them are always there."""
    pdf = _Page(format="A4")
    pdf.set_margins(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
    pdf.set_auto_page_break(auto=True, margin=_MARGIN_MM + 4)
    pdf.add_font(_FONT, fname=_FONT_FILE)
    pdf.set_title(f"Statement {statement.month}")
    pdf.set_creator("giftstream")
    pdf.set_lang("en")
    pdf.set_creation_date(statement.made_at)
    pdf.add_page()
    _head(pdf, statement)
    _figures(pdf, statement)
    _table(pdf, statement)
    return bytes(pdf.output())


def _head(pdf: FPDF, statement: Statement) -> None:
    _write(pdf, "giftstream", 10, _MUTED)
    _write(pdf, f"Statement, {statement.month.begins:%B %Y}", 20, _INK)
    _write(pdf, f"{statement.creator_name} · {statement.creator_id}", 11, _INK)
    made = f"Made {statement.made_at:%Y-%m-%d %H:%M} UTC. All times are UTC."
    _write(pdf, made if statement.final else f"{made} Not final: this month's gifts may still be settled.", 9, _MUTED)
    pdf.ln(5)


def _figures(pdf: FPDF, statement: Statement) -> None:
    moves = statement.moves
    figures = [
        ("Opening balance", statement.opening),
        ("Earned from gifts", moves.earned),
        ("Paid out", -moves.paid),
        ("Came back from payouts", moves.came_back),
        ("Given back for refunds", -moves.given_back),
        ("Closing balance, in diamonds", statement.closing),
    ]
    _plain(pdf, 10)
    with pdf.table(
        col_widths=(70, 30), text_align=("LEFT", "RIGHT"), width=100, align="LEFT", first_row_as_headings=False,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES, line_height=6,
    ) as table:  # fmt: skip
        for name, diamonds in figures:
            table.row((name, f"{diamonds:,}"))
    pdf.ln(8)


def _table(pdf: FPDF, statement: Statement) -> None:
    if not statement.lines:
        _write(pdf, "Nothing was earned or paid in this month.", 10, _MUTED)
        return
    _plain(pdf, 9)
    with pdf.table(
        col_widths=_COLUMN_SHARES, text_align=("LEFT", "LEFT", "RIGHT", "RIGHT", "RIGHT"), line_height=5.5,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES, headings_style=FontFace(color=_MUTED),
    ) as table:  # fmt: skip
        table.row(_HEADINGS)
        for line in statement.lines:
            table.row(_cells(line))


def _cells(line: Line) -> tuple[str, str, str, str, str]:
    money = "" if line.amount is None or line.currency is None else _signed_money(line.amount, line.currency)
    what = f"{line.what}\n{line.reference}" if line.reference else line.what
    return line.day.isoformat(), what, money, f"{line.diamonds:+,}", f"{line.balance:,}"


def _signed_money(amount: int, currency: str) -> str:
    return in_words(amount, currency) if amount >= 0 else f"-{in_words(-amount, currency)}"


def _write(pdf: FPDF, text: str, size_pt: int, colour: tuple[int, int, int]) -> None:
    pdf.set_font(_FONT, size=size_pt)
    pdf.set_text_color(*colour)
    pdf.multi_cell(0, size_pt * 0.5, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _plain(pdf: FPDF, size_pt: int) -> None:
    pdf.set_font(_FONT, size=size_pt)
    pdf.set_text_color(*_INK)
    pdf.set_draw_color(*_LINE)
