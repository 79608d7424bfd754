"""What an agent holds for its cameras: the key that signs, and the vault of two officers."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from contracts.clock import Clock
from contracts.events import Evidence
from contracts.settings import SettingsError
from contracts.topics import Identity
from edge_agent.custody.device_key import DeviceKey, KeyUnusable, device_key
from edge_agent.custody.officer_keys import PublicKey, read_public
from edge_agent.custody.sealing import About
from edge_agent.custody.settings import VaultSettings
from edge_agent.custody.vault import Vault, VaultError

OFFICERS = 2


class Original(msgspec.Struct, frozen=True):
    """An unblurred picture on its way into the vault."""

    about: About
    picture: bytes


def original_of(
    who: Identity,
    evidence_id: str,
    observation_id: str,
    captured_at: datetime,
    jpeg: bytes,
    size: tuple[int, int],
) -> Original:
    """The unblurred picture `jpeg` of a piece of evidence; `size` is its width and height."""
    about = About(
        source=who.source,
        evidence_id=evidence_id,
        observation_id=observation_id,
        captured_at=captured_at,
        media_type="image/jpeg",
        width=size[0],
        height=size[1],
        size=len(jpeg),
        sha256=hashlib.sha256(jpeg).hexdigest(),
    )
    return Original(about, jpeg)


@dataclass(frozen=True, slots=True)
class Custody:
    """Shared by all cameras of a site. Without a key pictures go unsigned, and it is said why."""

    key: DeviceKey | None = None
    vault: Vault | None = None
    trouble: str = ""

    def sign(self, who: Identity, picture: Evidence) -> Evidence:
        """The picture with the agent's signature, or as it is if there is no key."""
        return picture if self.key is None else self.key.sign(who, picture)


NO_CUSTODY = Custody()
"""Of cameras that neither sign nor keep originals: clips that are played again."""


def read_officers(settings: VaultSettings, base: Path) -> list[PublicKey]:
    """The public keys of the settings; none, or those of two. Raises SettingsError."""
    if not settings.officers:
        return []
    if len(settings.officers) != OFFICERS:
        raise SettingsError("vault.officers: needs the public keys of two officers, or none")
    found = [
        read_public(base / file, f"vault.officers[{place}]")
        for place, file in enumerate(settings.officers)
    ]
    if found[0].key_id == found[1].key_id:
        raise SettingsError("vault.officers: both files hold the same key")
    return found


def vault_folder(settings: VaultSettings, base: Path, state: Path) -> Path:
    """Where sealed originals lie."""
    return base / settings.folder if settings.folder else state / "vault"


def open_custody(
    settings: VaultSettings, agent: str, *, base: Path, state: Path, clock: Clock
) -> Custody:
    """The key and the vault of the agent `agent`; what cannot be used is left out and said.

    `base` is the folder of the settings file, `state` a folder that survives restarts.
    """
    troubles: list[str] = []
    key: DeviceKey | None = None
    vault: Vault | None = None
    try:
        key = device_key(state, agent, clock)
    except KeyUnusable as error:
        troubles.append(str(error))
    try:
        officers = read_officers(settings, base)
        if officers:
            vault = Vault(
                vault_folder(settings, base, state),
                officers,
                retention_days=settings.retention_days,
                most_bytes=settings.most_mb << 20,
            )
    except (SettingsError, VaultError) as error:
        troubles.append(f"no originals are kept: {error}")
    return Custody(key, vault, "; ".join(troubles))
