"""Set covering: the fewest or cheapest facilities that cover all, or a share."""
