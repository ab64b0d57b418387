"""Files come in: walk the folders, read the tags, notice what changed."""
