"""What a test of credentials showed, and what an integration keeps of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tidings.providers import Finding

TESTED_AT, TESTED = "tested_at", "tested"
"""Among an integration's settings: when its credentials were tried last, and what was wrong then, empty for nothing."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a test of credentials showed: every look in its order, and what to know although all is well."""

    findings: tuple[Finding, ...]
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether messages can be sent with them."""
        return all(finding.ok for finding in self.findings)


def kept(proof: Proof, *, now: datetime) -> dict[str, str]:
    """Give what an integration keeps of its last test, among its settings."""
    bad = next((finding for finding in proof.findings if not finding.ok), None)
    return {TESTED_AT: now.isoformat(), TESTED: f"{bad.detail} {bad.mend}" if bad else ""}
