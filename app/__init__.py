"""Where HTTP, HTML and the environment meet the rooms."""
