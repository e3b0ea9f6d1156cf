"""Policy documents that several components need."""

from __future__ import annotations

import json


def trust_of(service: str) -> str:
    """The trust policy of a role that one AWS service takes on."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        }
    )
