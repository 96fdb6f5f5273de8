"""What Tidings costs, as ratios within one run: to a floor that cannot be beaten, and to what others do."""
