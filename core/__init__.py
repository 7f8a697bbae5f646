"""A tiny toolbox that every room may use; each module is imported by its own name."""
