"""Looking after people, in Postgres: logins, reports, patterns of fraud, blocks on purchases."""
