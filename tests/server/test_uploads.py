"""The check of uploaded files: by their bytes, before decoding; what is active is refused."""

import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from upload_files import (
    jpeg_of,
    object_stream,
    pdf,
    photo,
    picture,
    png_of,
    stream,
    two_frames,
    webp_of,
    zipped_behind,
)

from server.settings import UploadSettings
from server.uploads import (
    EXTENSIONS,
    NAME_LENGTH,
    Upload,
    UploadRefused,
    check_upload,
    clean_name,
    sniff,
)

LIMITS = UploadSettings(most_bytes=1024 * 1024, most_pixels=1_000_000)


def refusal(name: str, content: bytes) -> tuple[str, str]:
    with pytest.raises(UploadRefused) as refused:
        check_upload(name, content, LIMITS)
    return refused.value.reason, refused.value.what


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"mode": "CMYK"}),
        ("PNG", {}),
        ("PNG", {"mode": "RGBA"}),
        ("PNG", {"mode": "P"}),
        ("PNG", {"mode": "I;16"}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"mode": "RGBA", "lossless": True, "exif": b"Exif\0\0"}),
    ],
    ids=str,
)
def test_a_picture_is_taken_and_drawn_anew(kind: str, options: dict[str, object]) -> None:
    content = picture(kind, **options)
    taken = check_upload("现场.bin", content, LIMITS)
    assert taken.content == content, "the original stays as it came"
    assert taken.media_type == f"image/{kind.lower()}"
    assert taken.name == "现场.bin" + EXTENSIONS[taken.media_type][0]
    assert taken.shown is not None and (taken.shown.width, taken.shown.height) == (64, 48)
    with Image.open(io.BytesIO(taken.shown.content)) as shown:
        assert (shown.format, shown.mode, shown.size) == ("JPEG", "RGB", (64, 48))
        dark, light = shown.getpixel((32, 2)), shown.getpixel((32, 45))
    assert sum(dark) + 300 < sum(light), "it is the picture, not an empty one"


def test_the_shown_picture_says_neither_place_nor_device_and_stands_upright() -> None:
    content = photo((80, 60))
    taken = check_upload("a.jpg", content, LIMITS)
    assert b"SecretPhoneMaker" in taken.content and taken.shown is not None
    assert b"Exif" not in taken.shown.content and b"SecretPhone" not in taken.shown.content
    with Image.open(io.BytesIO(taken.shown.content)) as shown:
        assert shown.size == (60, 80) and not shown.getexif() and "exif" not in shown.info


def test_a_large_picture_is_shown_smaller() -> None:
    taken = check_upload("a.png", picture("PNG", (2000, 400)), LIMITS)
    assert taken.shown is not None and (taken.shown.width, taken.shown.height) == (2000, 400)
    with Image.open(io.BytesIO(taken.shown.content)) as shown:
        assert shown.size == (1600, 320)


@pytest.mark.parametrize(
    "content", [png_of(60_000, 60_000), jpeg_of(60_000, 60_000), webp_of(16_000, 16_000)]
)
def test_a_bomb_is_refused_before_it_is_decoded(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.uploads.draw", None)
    reason, what = refusal("a.png", content)
    assert reason == "pixels" and " × " in what


def test_a_header_that_says_two_sizes_is_refused() -> None:
    # The first frame is small, the decoder goes by the second.
    small, large = jpeg_of(16, 16), jpeg_of(30_000, 30_000)
    frame = large[large.index(b"\xff\xc0") : large.index(b"\xff\xc4")]
    at = small.index(b"\xff\xc4")
    assert refusal("a.jpg", small[:at] + frame + small[at:])[0] == "broken"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@given(st.data())
def test_a_truncated_picture_is_refused_wherever_it_ends(kind: str, data: st.DataObject) -> None:
    whole = _LARGE[kind]
    cut = data.draw(st.integers(0, len(whole) - 3))
    assert refusal("a", whole[:cut])[0] in ("broken", "type", "empty")


_LARGE = {kind: picture(kind, (200, 150)) for kind in ("JPEG", "PNG", "WEBP")}


# Pillow warns of metadata that it cannot read, and goes on without.
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@given(st.data())
def test_a_damaged_file_is_taken_or_refused_and_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([*_LARGE.values(), pdf(), photo()])))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        taken = check_upload("a", bytes(whole), LIMITS)
    except UploadRefused as refused:
        assert refused.reason
    else:
        assert taken.content == bytes(whole)


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7"]),
)
def test_noise_is_refused(noise: bytes, head: bytes) -> None:
    assert refusal("a", head + noise)[0] in ("empty", "type", "broken", "pixels", "pdf_broken")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("picture.jpg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("picture.png", b"<!doctype html><script>alert(1)</script>"),
        ("picture.jpg", b"GIF89a" + b"\0" * 60),
        ("report.pdf", b"MZ\x90\0" + b"\0" * 60),
        ("report.pdf", b"PK\x03\x04" + b"\0" * 60),
        ("report.pdf", b"\n%PDF-1.7\n"),
        ("photo.heic", b"\0\0\0\x18ftypheic" + b"\0" * 60),
        ("list.csv", "名称,数量\n菜心,3\n".encode()),
    ],
)
def test_what_is_no_picture_and_no_pdf_is_refused_whatever_it_is_called(
    name: str, content: bytes
) -> None:
    assert refusal(name, content) == ("type", "")


def test_a_file_that_is_two_things_is_refused() -> None:
    assert refusal("a.jpg", zipped_behind(picture())) == ("mixed", "ZIP")
    assert refusal("a.pdf", zipped_behind(pdf())) == ("mixed", "ZIP")
    comment = picture(comment=b"%PDF-1.7 and so on")
    assert refusal("a.jpg", comment) == ("mixed", "PDF")
    assert refusal("a.png", picture("PNG") + b"<script>alert(1)</script>")[0] == "broken"
    assert refusal("a.webp", picture("WEBP") + b"<script>alert(1)</script>")[0] == "broken"


def test_what_phones_put_behind_a_picture_is_kept_and_not_shown() -> None:
    behind = b"\0\0\0\x18ftypmp42" + b"<script>" * 40
    taken = check_upload("a.jpg", photo() + behind, LIMITS)
    assert taken.content.endswith(behind) and taken.shown is not None
    assert b"<script>" not in taken.shown.content


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_moves_is_refused(kind: str) -> None:
    assert refusal("a", two_frames(kind)) == ("moving", "")


def test_sizes() -> None:
    assert refusal("a.jpg", b"") == ("empty", "")
    assert refusal("a.jpg", picture() + b"\0" * LIMITS.most_bytes) == ("size", "1 MB")


def test_a_plain_pdf_is_taken_as_it_came() -> None:
    content = pdf(stream(b"BT (/JS is only text here) Tj ET"))
    taken = check_upload("检验报告", content, LIMITS)
    assert taken == Upload("检验报告.pdf", "application/pdf", content, None)
    modern = pdf(object_stream(b"<< /Type /Annot /A << /S /URI /URI (https://example.org) >> >>"))
    assert check_upload("a.pdf", modern, LIMITS).content == modern
    # An outline says /First, too, and what follows it is a picture in another form.
    outlined = pdf(
        b"<< /Type /Outlines /First 5 0 R >>",
        stream(picture(), b"/Subtype /Image /Filter /DCTDecode"),
        stream(b"q Q", b"/Filter /FlateDecode /DecodeParms << /Predictor 12 >>"),
    )
    assert check_upload("a.pdf", outlined, LIMITS).content == outlined
    scanned = io.BytesIO()
    with Image.open(io.BytesIO(picture())) as opened:
        opened.save(scanned, "PDF")
    assert check_upload("a.pdf", scanned.getvalue(), LIMITS).media_type == "application/pdf"


ACTIVE = {
    "JavaScript": b"<< /S /JavaScript /JS (app.alert(1)) >>",
    "Launch": b"<< /S /Launch /F (cmd.exe) >>",
    "EmbeddedFiles": b"<< /Names << /EmbeddedFiles << /Names [] >> >> >>",
    "EmbeddedFile": b"<< /Type /EmbeddedFile >>",
    "RichMedia": b"<< /Subtype /RichMedia >>",
    "XFA": b"<< /XFA [] >>",
    "SubmitForm": b"<< /S /SubmitForm >>",
    "GoToR": b"<< /S/GoToR/F(x)>>",
    "Rendition": b"<< /S /Rendition /JS (1) >>",
}


@pytest.mark.parametrize("what", ACTIVE)
def test_a_pdf_that_does_something_is_refused_and_it_is_said_what(what: str) -> None:
    inner = ACTIVE[what]
    escaped = inner.replace(what.encode(), b"#%02X" % ord(what[0]) + what[1:].encode())
    assert escaped != inner
    for objects in (
        [inner],
        [escaped],
        [object_stream(inner)],
        [object_stream(escaped)],
        [object_stream(inner, more=b"")],
        [stream(b"q Q"), object_stream(b" " * 500_000 + inner)],
        # An end mark in a string does not hide the object stream's own dictionary.
        [object_stream(inner).replace(b"/Type", b"/X (endobj) /Type")],
    ):
        assert refusal("a.pdf", pdf(*objects)) == ("pdf_active", what)
    assert refusal("a.pdf", pdf(root=b"/OpenAction " + inner)) == ("pdf_active", what)
    # An update behind the first end counts, too.
    assert refusal("a.pdf", pdf() + pdf(inner)) == ("pdf_active", what)


def test_a_pdf_that_cannot_be_looked_into_is_refused() -> None:
    assert refusal("a.pdf", pdf(trailer=b"/Encrypt 9 0 R ")) == ("pdf_locked", "")
    script = ACTIVE["JavaScript"]
    hexed = stream(script.hex().encode() + b">", b"/Type /ObjStm /N 1 /First 5 /Filter /AHx")
    packed = zlib.compress(zlib.compress(b"10 0 " + script))
    for odd in (
        hexed,
        hexed.replace(b"/Filter /AHx", b"/Filter 9 0 R"),
        object_stream(script, b"/Filter [/FlateDecode /LZWDecode]"),
        object_stream(script, b"/Filter /FlateDecode /DecodeParms << /Predictor 12 >>"),
        stream(b"\x78\x9cnot deflated", b"/Type /ObjStm /N 1 /First 5 /Filter /FlateDecode"),
        stream(packed, b"/Type /ObjStm /N 1 /First 5 /Filter [/FlateDecode /FlateDecode]"),
        # A string that feigns the beginning of another object.
        hexed.replace(b"/AHx", b"/AHx /X (\n5 0 obj)"),
        hexed.replace(b"/AHx", b"/AHx /X (\n5 0 obj \\()"),
        stream(b"(odd)", b"/Type /ObjStm /N 1 /First 5 /Filter /Unheard"),
    ):
        assert refusal("a.pdf", pdf(odd))[0] == "pdf_broken"


def test_object_streams_are_inflated_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.upload_pdf.MOST_INFLATED", 3_000_000)
    bomb = object_stream(b"\0" * 5_000_000)
    assert len(bomb) < 10_000
    assert refusal("a.pdf", pdf(bomb)) == ("pdf_broken", "too much to look into")
    half = object_stream(b"\0" * 2_000_000)
    assert refusal("a.pdf", pdf(half, half)) == ("pdf_broken", "too much to look into")


@given(st.integers(9, len(pdf()) - 8))
def test_a_truncated_pdf_is_refused(cut: int) -> None:
    assert refusal("a.pdf", pdf()[:cut])[0] == "pdf_broken"


@pytest.mark.parametrize(
    ("given_name", "clean"),
    [
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\Users\\li\\现场 照片.JPG", "现场 照片.JPG"),
        ("a\r\nSet-Cookie: x=1.jpg", "aSet-Cookie_ x=1.jpg"),
        ("invoice\u202egpj.exe", "invoicegpj.exe.jpg"),
        ("report.pdf.exe", "report.pdf.exe.jpg"),
        ("", "file.jpg"),
        ("...", "file.jpg"),
        (".jpg", "jpg.jpg"),
        ('"<x>".jpeg', "__x__.jpeg"),
    ],
)
def test_names_are_cleaned(given_name: str, clean: str) -> None:
    assert clean_name(given_name, "image/jpeg") == clean


@given(st.text(max_size=300), st.sampled_from(sorted(EXTENSIONS)))
def test_a_clean_name_is_short_safe_and_stays_as_it_is(name: str, media_type: str) -> None:
    clean = clean_name(name, media_type)
    assert 0 < len(clean) <= NAME_LENGTH and clean.isprintable()
    assert not set(clean) & set('/\\<>:"|?*\r\n\0') and not clean.startswith(".")
    assert clean.lower().endswith(EXTENSIONS[media_type])
    assert clean_name(clean, media_type) == clean
    assert sniff(clean.encode()) is None or clean.startswith("%PDF-")
