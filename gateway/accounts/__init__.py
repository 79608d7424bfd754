"""Who may speak at the broker: accounts, their secrets and certificates, and the broker's files."""
