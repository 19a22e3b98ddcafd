"""Looking after people: who may buy, and what a person should look at."""
