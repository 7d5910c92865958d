"""A service account of Google's whose tokens the loopback server hands out."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def write_service_account(folder: Path, server: str) -> str:
    """Write the file of a service account, with a key that nobody else has.

    Args:
        folder: Where to.
        server: The root of the server that hands out its tokens.

    Returns:
        The file, for `GOOGLE_APPLICATION_CREDENTIALS`.
    """
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    account = {
        "type": "service_account",
        "project_id": "my-project",
        "client_email": "somebody@my-project.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "token_uri": f"{server}/token",
    }
    file = folder / "service-account.json"
    file.write_text(json.dumps(account))
    return str(file)
