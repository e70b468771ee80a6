"""Features from media (`hyperctr data extract`): videos, images, sounds and texts to vectors of items."""
