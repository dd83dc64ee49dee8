"""What the host does for the flow `impervious_change`."""
