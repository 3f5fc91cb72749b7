"""Questions with names: one .sql file a view or macro, and pictures of them in :mod:`.plots`."""
