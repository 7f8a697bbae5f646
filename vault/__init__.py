"""Keeps film sealed and reads it back only with a permit."""
