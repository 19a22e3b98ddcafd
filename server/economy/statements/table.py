"""A statement as CSV."""

from server.economy.csv_file import csv_file
from server.economy.statements.monthly import Statement

HEADER = ("date", "what", "reference", "diamonds", "balance", "amount_minor", "currency")


def as_csv(statement: Statement) -> bytes:
    """Opening balance, every line, closing balance. amount_minor: money in minor units."""
    month = statement.month
    last_day = max([month.begins.date(), *(line.day for line in statement.lines)])
    return csv_file(
        HEADER,
        [
            (month.begins.date().isoformat(), "Opening balance", "", None, statement.opening, None, None),
            *(
                (
                    line.day.isoformat(),
                    line.what,
                    line.reference,
                    line.diamonds,
                    line.balance,
                    line.amount,
                    line.currency,
                )
                for line in statement.lines
            ),
            (last_day.isoformat(), "Closing balance", "", None, statement.closing, None, None),
        ],
    )
