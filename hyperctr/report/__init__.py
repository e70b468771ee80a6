"""The offline report: notebooks run in one batch, and the pages made of them. Nothing here imports torch."""
