"""Who is recognisable, and who checked it."""
