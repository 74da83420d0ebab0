"""Statistics in numpy: intervals, calibrators, conformal sets, metrics."""
