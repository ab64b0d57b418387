"""What happens when someone presses play."""
