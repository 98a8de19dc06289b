"""A certificate for loopback, as AWS's endpoints have one: TLS costs processor time, and more than most of what a call costs otherwise.

Runs in moto's environment, which has the library: `python certificate.py FOLDER` leaves `server.pem` (key and certificate) and
`authorities.pem` there: those that this machine trusts, and the one that signed it.
"""

import datetime
import ipaddress
import ssl
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def main(folder: Path) -> None:
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _named("stand-in for AWS", None, authority_key, authority_key).add_extension(x509.BasicConstraints(True, 0), True)
    authority = authority.sign(authority_key, hashes.SHA256())
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    own = _named("127.0.0.1", authority, key, authority_key).add_extension(loopback, False)
    own = own.add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), False).sign(authority_key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(secret + own.public_bytes(pem))
    trusted = ssl.get_default_verify_paths().cafile
    (folder / "authorities.pem").write_bytes((Path(trusted).read_bytes() if trusted else b"") + authority.public_bytes(pem))


def _named(name: str, issuer: x509.Certificate | None, key, issuer_key) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    of_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2)).add_extension(identifier, False).add_extension(of_issuer, False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
