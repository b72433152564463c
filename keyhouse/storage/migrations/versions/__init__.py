"""One file for each step; never changed after a release."""
