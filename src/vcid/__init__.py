"""Birth registration and guardianship as verifiable credentials, proven offline."""
