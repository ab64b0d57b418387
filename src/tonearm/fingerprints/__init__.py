"""Where fingerprints come from and where they are kept."""
