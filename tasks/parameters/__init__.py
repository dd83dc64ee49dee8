"""The forms that analysts fill in: one model per flow. Prefect draws them; every field says its meaning and unit."""
