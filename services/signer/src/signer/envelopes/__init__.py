"""Envelopes: the bytes in which a signature travels, as cosign, skopeo and Sigstore's libraries read them."""
