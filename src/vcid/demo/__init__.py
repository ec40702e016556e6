"""The demonstration: one story from a register's rows to a refused credential, with everything real."""
