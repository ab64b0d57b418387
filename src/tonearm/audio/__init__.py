"""Files to samples and back. The only package that knows the decoder."""
