"""The load test with Locust: who takes part, what they do, and the check that nothing was lost."""
