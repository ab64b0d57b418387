"""Bricks with state: filters, meters, the limiter. No I/O."""
