"""How fast giftstream is: a load client, measurements beside limits and baselines, and load tests with Locust."""
