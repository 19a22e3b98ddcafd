"""A creator's statement of a month: `monthly.py` makes it, `table.py` and `pdf.py` write it down."""
