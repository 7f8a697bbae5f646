"""What is kept, how long, and proof of what is gone."""
