"""The vcid command."""
