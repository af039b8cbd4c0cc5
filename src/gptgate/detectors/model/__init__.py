"""A small linear model of prompt attacks: integers only, trained by `bench.quality.train`."""
