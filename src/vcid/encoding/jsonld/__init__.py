"""JSON-LD 1.1 in safe mode, as far as it takes to turn a document into a dataset."""
