"""What every result is compared with: simple baselines and content matrix factorisation."""
