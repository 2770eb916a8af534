"""Certificates for tests, made by the openssl program."""

import os
import subprocess
import tempfile


class Identity:
    """A certificate and its key, as PEM texts."""

    def __init__(self, certificate, key):
        self.certificate = certificate
        self.key = key


class Authority(Identity):
    """Signs certificates."""

    def issue(self, name, *, is_expired=False):
        """A certificate for a host name."""
        with tempfile.TemporaryDirectory() as folder:
            _write(folder, "ca.pem", self.certificate)
            _write(folder, "ca.key", self.key)
            _write(folder, "extensions", "subjectAltName=DNS:%s\n" % name)
            _openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "request", "-subj", "/CN=" + name)
            validity = ["-days", "-1" if is_expired else "2"]
            files = ["-in", "request", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions"]
            _openssl(folder, "x509", "-req", *files, *validity, "-out", "certificate")
            return Identity(_read(folder, "certificate"), _read(folder, "key"))


def authority():
    """A new authority."""
    with tempfile.TemporaryDirectory() as folder:
        _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "certificate", "-subj", "/CN=ca")
        return Authority(_read(folder, "certificate"), _read(folder, "key"))


def _openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def _read(folder, name):
    with open(os.path.join(folder, name)) as file:
        return file.read()


def _write(folder, name, text):
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)
