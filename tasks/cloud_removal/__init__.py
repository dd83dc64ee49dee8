"""What the host does for the flow `cloud_removal`."""
