"""What a competent team writes first: FastAPI, one store operation per gift, one message per gift and viewer.

Both speak as much of our socket as the load client needs (hello, join, gift), so that the same client measures all.
What they leave out (accounts of both sides, retries, resume, limits, chat) only makes them faster.
"""
