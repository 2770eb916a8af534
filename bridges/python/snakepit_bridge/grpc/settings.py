"""What a server is told, by its host or on its command line."""


class ServerSettings:
    """Where to listen and whom to let in; `is_private` keeps a Unix socket to this user."""

    def __init__(self, addresses, token=None, tls=None, max_frame_bytes=64 * 1024 * 1024, has_reflection=False, is_private=False):
        self.addresses = addresses
        self.token = token
        self.tls = tls
        self.max_frame_bytes = max_frame_bytes
        self.has_reflection = has_reflection
        self.is_private = is_private


class Tls:
    """PEM texts, as bytes, for mutual TLS: the certificate chain, its key, and who signs the client's certificate."""

    def __init__(self, certificate, key, client_ca):
        self._certificate = certificate
        self._key = key
        self._client_ca = client_ca

    def credentials(self):
        """What gRPC makes of them; clients without a certificate are refused."""
        from grpc import ssl_server_credentials

        return ssl_server_credentials(((self._key, self._certificate),), self._client_ca, require_client_auth=True)
