"""Keys for everyone who seals, and their death."""
