"""Decentralized identifiers: documents, methods and their resolution."""
