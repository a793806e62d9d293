"""Images that came as an archive instead of from a registry: taken in, found in it, held until they were read."""
