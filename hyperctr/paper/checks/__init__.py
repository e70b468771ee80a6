"""The testable sentences of section 3."""
