"""Coins that are given: promotions, referrals, challenges and contests, rewarded ads and surveys."""
