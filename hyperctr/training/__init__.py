"""The training loop, its events and its checkpoints."""
