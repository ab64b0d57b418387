"""Files meet the pure core: measure a file, master a file."""
