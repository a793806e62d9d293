"""Pulling images by digest: manifests expanded to platforms, layers streamed into their readers."""
