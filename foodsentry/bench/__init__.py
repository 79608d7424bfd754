"""The committed benchmarks: what `foodsentry bench` measures, and how its figures are made."""
