"""Whether a clip may be shown, decided at that moment."""
