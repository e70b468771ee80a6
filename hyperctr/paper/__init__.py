"""What belongs to one paper: its published numbers, tables, figures and claims."""
