"""The transparency log that anchors typed digests, its witnesses and its receipts."""
