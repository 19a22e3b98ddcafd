"""What Apple signs: a JWS whose header carries its certificates, trusted as far as they lead to one known root.

(https://developer.apple.com/documentation/appstoreservernotifications/jwsdecodedheader)
"""

import binascii
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from server.economy.recharge.providers.provider import BadNotificationError

ALGORITHM = "ES256"
CHAIN_LENGTH = 3
"""Leaf, intermediate, root."""
SIGNED_CHARS_MAX = 100_000

LEAF_PURPOSE = x509.ObjectIdentifier("1.2.840.113635.100.6.11.1")
"""Marks certificates that sign receipts; Apple's root certifies a lot that does not."""
INTERMEDIATE_PURPOSE = x509.ObjectIdentifier("1.2.840.113635.100.6.2.1")

_UNBELIEVABLE = (
    jwt.PyJWTError,
    VerificationError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
)
"""What reading something raises that anybody may have sent."""


class AppleRoot:
    """Apple's root certificate, as the operator got it from Apple."""

    def __init__(self, certificate: x509.Certificate) -> None:
        self._root = certificate
        self._store = Store([certificate])

    @classmethod
    def from_file(cls, path: Path) -> "AppleRoot":
        """Reads a certificate, DER as Apple publishes it, or PEM. Raises OSError, ValueError."""
        raw = path.read_bytes()
        pem = raw.lstrip().startswith(b"-----BEGIN")
        return cls(x509.load_pem_x509_certificate(raw) if pem else x509.load_der_x509_certificate(raw))

    def open(self, signed: str) -> dict[str, Any]:
        """The payload of a JWS. Raises BadNotificationError unless it was signed by who may, when that was valid."""
        if len(signed) > SIGNED_CHARS_MAX:
            raise BadNotificationError("too long")
        try:
            header = jwt.get_unverified_header(signed)
            leaf, intermediate, key = self._chain(header)
            payload: dict[str, Any] = jwt.decode(signed, key, algorithms=[ALGORITHM], options={"verify_aud": False})
            self._verify(leaf, intermediate, payload)
        except _UNBELIEVABLE as error:
            raise BadNotificationError(f"not signed by Apple: {type(error).__name__}") from error
        return payload

    def _chain(self, header: dict[str, Any]) -> tuple[x509.Certificate, x509.Certificate, ec.EllipticCurvePublicKey]:
        """Leaf, intermediate and the leaf's key; the root that comes along must be the one that is known."""
        carried = header.get("x5c")
        if header.get("alg") != ALGORITHM or not isinstance(carried, list) or len(carried) != CHAIN_LENGTH:
            raise ValueError("no chain of three certificates")
        leaf, intermediate, root = (_certificate(text) for text in carried)
        if root != self._root:
            raise ValueError("another root")
        key = leaf.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise TypeError("not the right kind of key")
        leaf.extensions.get_extension_for_oid(LEAF_PURPOSE)
        intermediate.extensions.get_extension_for_oid(INTERMEDIATE_PURPOSE)
        return leaf, intermediate, key

    def _verify(self, leaf: x509.Certificate, intermediate: x509.Certificate, payload: dict[str, Any]) -> None:
        """Checks the chain as of the moment of signing: certificates are renewed, receipts are kept."""
        signed_at = datetime.fromtimestamp(payload["signedDate"] / 1000, UTC)
        policy = PolicyBuilder().store(self._store).time(signed_at).max_chain_depth(1)
        policy = policy.extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all()
        )
        policy.build_client_verifier().verify(leaf, [intermediate])


def _certificate(text: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(b64decode(text, validate=True))
    except binascii.Error as error:
        raise ValueError("not base64") from error
