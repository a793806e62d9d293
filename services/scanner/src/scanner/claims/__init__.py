"""Documents that say what is in an image: one more evidence, which adds packages and never takes one away."""
