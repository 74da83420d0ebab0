"""One file per question of trust; each sees evidence and nothing else."""
