"""Keys: signing, wallets and the custody of a child's key."""
