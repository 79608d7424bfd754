"""When two written names are the same: width, case and spaces apart, and nothing else apart."""

import unicodedata
from functools import lru_cache

MOST = 500


@lru_cache(maxsize=16_384)
def name_key(text: str) -> str:
    """What a name is compared by: ``Ａ 区 1 号`` and ``a区1号`` have the same; '' has none.

    No likeness, no alias, no part of a name: what differs in a letter is another name.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    kept = (one for one in plain if not one.isspace() and unicodedata.category(one) != "Cf")
    return unicodedata.normalize("NFKC", "".join(kept))[:MOST]
