"""The SQL of earning: rewards, promotions and the deals they make, referrals, challenges, rewarded ads and surveys."""
