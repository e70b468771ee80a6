"""What every result is compared with: trivial rows and content matrix factorisation."""
