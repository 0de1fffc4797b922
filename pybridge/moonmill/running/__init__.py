"""Runs, from their arguments to their results: nothing here is imported by users."""
