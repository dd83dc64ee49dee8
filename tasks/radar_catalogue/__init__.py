"""Sentinel-1 search on the host: `search.search_radar`; pairs with optical images are made in `tasks.cloud_removal.pairing`."""
