"""What `--fix` may change, and how: `table` says which calls have an exact counterpart, `names` what a name stands for, `tree` edits the file."""
