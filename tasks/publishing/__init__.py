"""What publishing is for every flow: product, tables, report, catalogue."""
