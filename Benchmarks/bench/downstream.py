"""What clients speak with a proxy: HTTP/1.1 or HTTP/2, over TLS or not. The same for all that are compared."""
import dataclasses
import os
import subprocess

from .terms import Void

CIPHER_SUITE = "TLS_AES_128_GCM_SHA256"
"""The only one that proxies are given, so that none is measured with a cheaper one."""

KEYS = {"ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}


@dataclasses.dataclass(frozen=True)
class Downstream:
    """TLS is 1.3, with tickets as everybody gives them by default: two after a full handshake, one after a
    resumption."""

    key: str = ""
    """The kind of the certificate's key, of `KEYS`; without TLS nothing."""
    http2: bool = False

    @property
    def has_tls(self):
        return bool(self.key)

    @property
    def scheme(self):
        return "https" if self.key else "http"

    @property
    def is_plain(self):
        return not self.key and not self.http2


PLAIN, H2C = Downstream(), Downstream(http2=True)
TLS, TLS_RSA, H2_TLS = Downstream("ecdsa"), Downstream("rsa"), Downstream("ecdsa", http2=True)


def make_certificate(path, kind):
    """A file with a certificate for 127.0.0.1 and its key."""
    key = path + ".key"
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", *KEYS[kind], "-nodes", "-days", "2", "-subj", "/CN=bench", "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", path], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Void(f"openssl makes no certificate: {error}") from error
    with open(key) as private, open(path, "a") as both:
        both.write(private.read())
    os.remove(key)
    return path
