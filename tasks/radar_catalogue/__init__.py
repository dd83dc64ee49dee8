"""Sentinel-1 search on the host; pairs with optical images are made in `tasks.cloud_removal`."""
