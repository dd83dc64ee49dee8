"""Scene search and selection on the host: `search.search_scenes`, `selection.select_scenes`, `plan.make_plan`."""
