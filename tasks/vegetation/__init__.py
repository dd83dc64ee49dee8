"""What the host does for the flow `vegetation_productivity`."""
