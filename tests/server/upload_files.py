"""Files that officers might add to a case, good ones and nasty ones, made by hand."""

import io
import struct
import zlib

from PIL import Image


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    """A small picture with a gradient, so that it is not all of one colour."""
    mode = str(options.pop("mode", "RGB"))
    grey = Image.linear_gradient("L").resize(size)
    deep = mode.startswith("I")  # sixteen bits a pixel
    made = grey.convert("I").point(lambda value: value * 256) if deep else grey
    made = made.convert(mode)
    out = io.BytesIO()
    made.save(out, kind, **options)
    return out.getvalue()


def photo(size: tuple[int, int] = (80, 60)) -> bytes:
    """A JPEG as a phone makes it: turned by 90°, with the place where it was taken."""
    made = Image.new("RGB", size, (180, 30, 30))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation
    exif[0x010F] = "SecretPhoneMaker"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (22.0, 34.0, 44.0)
    out = io.BytesIO()
    made.save(out, "JPEG", exif=exif)
    return out.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header says so; a few bytes that would become that many pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * min((width + 1) * height, 4_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def jpeg_of(width: int, height: int) -> bytes:
    """A small JPEG whose header lies about its size."""
    made = bytearray(picture(size=(16, 16)))
    at = made.index(b"\xff\xc0")
    made[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(made)


def webp_of(width: int, height: int) -> bytes:
    """A WebP whose canvas is said to be that large."""
    canvas = struct.pack("<I", 0) + (width - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body)) + body


def two_frames(kind: str) -> bytes:
    """A picture that moves."""
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def pdf(*objects: bytes, root: bytes = b"", trailer: bytes = b"") -> bytes:
    """A PDF of one empty page, with further objects (numbered from 4 on)."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R %s>>" % root,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        *objects,
    ]
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += b"trailer\n<< /Size %d /Root 1 0 R %s>>\n" % (len(parts) + 1, trailer)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def stream(body: bytes, dictionary: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(body), dictionary, body)


def object_stream(inner: bytes, more: bytes = b"/Filter /FlateDecode") -> bytes:
    """Objects inside of a compressed stream, as modern PDFs keep them."""
    body = b"10 0 " + inner
    packed = zlib.compress(body) if b"FlateDecode" in more else body
    return stream(packed, b"/Type /ObjStm /N 1 /First 5 " + more)


def zipped_behind(content: bytes) -> bytes:
    """The same file, which is an empty ZIP archive as well."""
    return content + b"PK\x05\x06" + b"\0" * 18
