"""Coins that are given away: promotions, referrals, contests, rewarded ads and surveys."""
