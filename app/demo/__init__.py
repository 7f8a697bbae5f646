"""`vig-vault demo`: the whole service on a throwaway store, and the main job played on it over HTTP."""
