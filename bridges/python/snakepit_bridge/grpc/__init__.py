"""Protocol v2 over gRPC, and the ancestor's gRPC service; needs the extra `grpc`."""
