"""A picture of any size made as small as it will be shown."""

import io
import struct
from typing import Final

from PIL import Image, ImageOps

MOST_PIXELS: Final = 64_000_000
"""More than any cover has: a scan of 30 cm at 600 dpi is 50 million. A larger one would fill the memory."""

QUALITY: Final = 88
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
_DAMAGE: Final = (OSError, SyntaxError, ValueError, EOFError, struct.error)
"""What Pillow raises on a picture that is none, breaks off, or holds nonsense."""

# Our own limit is told by an error of its own, before a pixel is decoded.
Image.MAX_IMAGE_PIXELS = None


class UnusablePicture(Exception):
    """No picture of a known kind, damaged, or too large."""


def scaled(data: bytes, size: int) -> bytes:
    """A JPEG of at most ``size`` by ``size`` pixels, upright, in its own proportions, never enlarged.

    Transparency is laid on white.

    Raises:
        UnusablePicture: why there is none.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise UnusablePicture(f"{picture.width} x {picture.height} pixels")
            picture.draft("RGB", (2 * size, 2 * size))
            upright = _opaque(ImageOps.exif_transpose(picture))
            upright.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0)
            written = io.BytesIO()
            upright.save(written, "JPEG", quality=QUALITY)
            return written.getvalue()
    except _DAMAGE as error:
        raise UnusablePicture(str(error)) from error


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode == "I;16":
        # Pillow cuts 16 bits off at 255 where they are converted, which is white.
        return picture.point(lambda value: value * (1 / 257)).convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    with_alpha = picture.convert("RGBA")
    white = Image.new("RGBA", with_alpha.size, "white")
    return Image.alpha_composite(white, with_alpha).convert("RGB")
