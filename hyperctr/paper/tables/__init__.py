"""Tables 1 to 4, and what each system costs."""
