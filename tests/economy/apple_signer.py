"""An authority like Apple's, made for the tests: a root, an intermediate, a leaf, and what the leaf signs."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from server.economy.recharge.providers.apple_jws import INTERMEDIATE_PURPOSE, LEAF_PURPOSE

BUNDLE = "org.example.gifts"
_NULL = b"\x05\x00"


@dataclass
class Authority:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


def certify(
    name: str,
    by: Authority | None,
    *,
    ca: bool,
    purpose: x509.ObjectIdentifier | None = None,
    days: int = 30,
    began_days_ago: int = 1,
) -> Authority:
    """A new certificate, signed by an authority, or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    began = datetime.now(UTC) - timedelta(days=began_days_ago)
    issuer = subject if by is None else by.certificate.subject
    signing = key if by is None else by.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
    )
    if ca:
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "encipher_only", "decipher_only"), False,
        )  # fmt: skip
        builder = builder.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
    if purpose is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(purpose, _NULL), critical=False)
    return Authority(builder.sign(signing, hashes.SHA256()), key)


class AppleSigner:
    """Signs as Apple does. The root is what the server is given."""

    def __init__(self, began_days_ago: int = 1) -> None:
        self.root = certify("Root", None, ca=True, began_days_ago=began_days_ago)
        self.intermediate = certify(
            "Intermediate", self.root, ca=True, purpose=INTERMEDIATE_PURPOSE, began_days_ago=began_days_ago
        )
        self.leaf = certify("Leaf", self.intermediate, ca=False, purpose=LEAF_PURPOSE)

    def sign(self, payload: dict[str, Any], *, chain: list[bytes] | None = None, leaf: Authority | None = None) -> str:
        leaf = leaf or self.leaf
        carried = [leaf.der, self.intermediate.der, self.root.der] if chain is None else chain
        header = {"x5c": [base64.b64encode(der).decode() for der in carried]}
        return jwt.encode(
            {"signedDate": int(time.time() * 1000)} | payload, leaf.key, algorithm="ES256", headers=header
        )

    def transaction(self, account: str | None, **changes: Any) -> str:
        """A signed transaction: 1,400 coins for 26.99 EUR."""
        said = {
            "transactionId": "2000000001",
            "originalTransactionId": "2000000001",
            "bundleId": BUNDLE,
            "environment": "Production",
            "productId": "ios_1400",
            "type": "Consumable",
            "quantity": 1,
            "appAccountToken": account,
            "price": 26_990,
            "currency": "EUR",
            "storefront": "PRT",
        }
        return self.sign({name: value for name, value in (said | changes).items() if value is not None})

    def notification(self, kind: str, transaction: str, uuid: str, **changes: Any) -> dict[str, str]:
        """The body of a notification, version 2."""
        data = {"bundleId": BUNDLE, "environment": "Production", "signedTransactionInfo": transaction} | changes
        said = {"notificationType": kind, "notificationUUID": uuid, "version": "2.0", "data": data}
        return {"signedPayload": self.sign(said)}
