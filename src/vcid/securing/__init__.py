"""What makes a document a proof, given a way to resolve a verification method."""
