"""The systems HyperCTR is compared with: their options and presets, one module each, readable without torch."""
