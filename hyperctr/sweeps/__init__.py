"""Many runs from one plan: which there are, carrying them out in processes, and what came of them."""
