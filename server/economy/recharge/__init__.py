"""Buying coins: packages, payment providers, what they tell, and what happens when they take money back."""
