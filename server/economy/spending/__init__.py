"""Spending beyond gifts: what an item costs and needs, who may enter with a ticket, and what is promoted to whom."""
