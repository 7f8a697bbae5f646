"""Alembic's trees."""
