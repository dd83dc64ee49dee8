"""The flow `pasture_types`: from outlines and a survey to types, calendars and sheets."""
