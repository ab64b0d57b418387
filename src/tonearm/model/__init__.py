"""The vocabulary: values that every other package speaks in. No I/O."""
