"""A run, from what it is given to what it gives: nothing here is imported by users."""
