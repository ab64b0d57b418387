"""The gRPC fingerprint service: its words, its server, its workers, its client."""
