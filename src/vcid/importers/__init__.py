"""Records from other systems, each field accounted for."""
