"""The sandboxed children that parse film."""
