"""Inventories as documents: what CycloneDX and SPDX call a bill of materials."""
