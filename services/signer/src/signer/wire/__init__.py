"""Between protobuf and the signer's own words: `reading` decodes requests, `writing` encodes answers."""
