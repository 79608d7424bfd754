"""Checks an uploaded file by its bytes, whatever it is called: a picture or a PDF, or refused.

No input or output here. What passes is kept as it came; a picture is drawn anew to be shown.
"""

import re
import struct
import unicodedata
from typing import Literal

import msgspec

from server.settings import UploadSettings
from server.upload_pdf import PdfActive, PdfBroken, PdfLocked, check_pdf
from server.upload_pictures import PictureBroken, Shown, dimensions, draw, moves
from server.upload_pictures import ends_where_it_should as ends_well

PDF = "application/pdf"
NAME_LENGTH = 120
EXTENSIONS: dict[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    PDF: (".pdf",),
}
"""What is taken, and how such a file may be called; a name that says otherwise gets the first."""
ACCEPT = ",".join([*EXTENSIONS, ".jpg", ".jpeg", ".png", ".webp", ".pdf"])
"""For a form's file field."""
Reason = Literal[
    "empty",
    "size",
    "type",
    "broken",
    "pixels",
    "moving",
    "mixed",
    "pdf_broken",
    "pdf_locked",
    "pdf_active",
    "nophoto",
]


class UploadRefused(ValueError):
    """A file is not taken: `name` is which, `reason` why, `what` what was found in it."""

    def __init__(self, name: str, reason: Reason, what: str = "") -> None:
        super().__init__(f"{name}: {reason} {what}".strip())
        self.name = name
        self.reason: Reason = reason
        self.what = what


class Upload(msgspec.Struct, frozen=True):
    """A file that was checked."""

    name: str
    """Cleaned; its ending fits the type."""
    media_type: str
    content: bytes
    shown: Shown | None
    """A picture, drawn anew; None for a PDF."""


def check_upload(name: str, content: bytes, limits: UploadSettings) -> Upload:
    """Look into a file. Raises UploadRefused."""
    said = clean_name(name)
    if not content:
        raise UploadRefused(said, "empty")
    if len(content) > limits.most_bytes:
        raise UploadRefused(said, "size", f"{limits.most_bytes / 1024 / 1024:g} MB")
    media_type = sniff(content)
    if media_type is None:
        raise UploadRefused(said, "type")
    said = clean_name(name, media_type)
    if _is_archive_too(content):
        raise UploadRefused(said, "mixed", "ZIP")
    if media_type == PDF:
        _check_pdf(said, content)
        return Upload(said, media_type, content, None)
    if b"%PDF-" in content[:1024]:
        raise UploadRefused(said, "mixed", "PDF")
    return Upload(said, media_type, content, _check_picture(said, media_type, content, limits))


def sniff(content: bytes) -> str | None:
    """The media type that the first bytes say, of those that are taken; else None."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return PDF if content.startswith(b"%PDF-") else None


def clean_name(name: str, media_type: str = "") -> str:
    """A name that is safe to show and to save under; with `media_type`, its ending fits."""
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # Control and format characters (right-to-left marks!), surrogates, private use.
    text = "".join(one for one in text if unicodedata.category(one)[0] != "C")
    text = re.sub(r'[<>:"|?*]', "_", text)
    text = re.sub(r"\s+", " ", text).strip(" .")
    stem, dot, ending = text.rpartition(".")
    if media_type:
        known = EXTENSIONS[media_type]
        fits = bool(dot) and f".{ending.lower()}" in known
        stem, ending = (stem, f".{ending}") if fits else (text, known[0])
        stem = stem.strip(" .")
        return (stem[: NAME_LENGTH - len(ending)] or "file") + ending
    return text[:NAME_LENGTH] or "file"


def _check_pdf(name: str, content: bytes) -> None:
    try:
        check_pdf(content)
    except PdfLocked:
        raise UploadRefused(name, "pdf_locked") from None
    except PdfActive as found:
        raise UploadRefused(name, "pdf_active", found.what) from None
    except PdfBroken as error:
        raise UploadRefused(name, "pdf_broken", str(error)) from None


def _check_picture(name: str, media_type: str, content: bytes, limits: UploadSettings) -> Shown:
    try:
        width, height = dimensions(media_type, content)
        if width * height > limits.most_pixels:
            raise UploadRefused(name, "pixels", f"{width} × {height}")
        if moves(media_type, content):
            raise UploadRefused(name, "moving")
        if not ends_well(media_type, content):
            raise PictureBroken("something follows its end, or it ends early")
        return draw(media_type, content, limits.most_pixels)
    except PictureBroken:
        raise UploadRefused(name, "broken") from None


def _is_archive_too(content: bytes) -> bool:
    """Whether the file ends as a ZIP archive does, so that it can be opened as one."""
    at = content.rfind(b"PK\x05\x06", max(0, len(content) - 65_557))
    if at < 0 or at + 22 > len(content):
        return False
    (comment,) = struct.unpack_from("<H", content, at + 20)
    return at + 22 + int(comment) == len(content)
