"""Hostile media, made here: what somebody may deposit to break what parses it, or what comes about by accident."""
