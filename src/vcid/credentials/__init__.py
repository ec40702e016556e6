"""What is said: the credential model, its schemas, and the records of birth and guardianship."""
