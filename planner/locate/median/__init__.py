"""p-median and p-center: the least travel in all, and the shortest longest way."""
