"""The neighbours: what policy, signer, scanner and the registries say, in the verifier's own words."""
