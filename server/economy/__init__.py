"""The coin economy around gifts: rules of how coins are bought, limited, given away and paid out."""
