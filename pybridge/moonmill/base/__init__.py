"""What the other modules of the package rest on: nothing here is imported by users."""
