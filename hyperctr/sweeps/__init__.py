"""Many runs from one plan: which there are, carrying them out in processes, and their results."""
