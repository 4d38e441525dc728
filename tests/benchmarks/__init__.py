"""Speed claims: each file is a command that measures both sides in one run and prints the ratio; none asserts."""
