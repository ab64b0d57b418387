"""Pictures made small: their size, their colours, and what is no picture."""

import io
import struct
import zlib

import pytest
from PIL import Image

from tonearm.artwork.scaling import MOST_PIXELS, UnusablePicture, scaled


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    written = io.BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data), formats=["JPEG"])
    picture.load()
    return picture


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_every_kind_becomes_a_jpeg_of_the_size_in_its_proportions(kind: str) -> None:
    made = opened(scaled(encoded(Image.new("RGB", (900, 600), (200, 40, 40)), kind), 256))
    assert (made.size, made.mode) == ((256, 171), "RGB")
    assert made.getpixel((100, 100)) == pytest.approx((200, 40, 40), abs=6)


def test_nothing_is_enlarged() -> None:
    assert opened(scaled(encoded(Image.new("RGB", (40, 30))), 512)).size == (40, 30)


def test_what_is_transparent_lies_on_white() -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    assert opened(scaled(encoded(clear), 64)).getpixel((5, 5)) == pytest.approx((255, 255, 255), abs=2)


def test_a_photograph_on_its_side_is_put_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert opened(scaled(encoded(Image.new("RGB", (300, 200)), "JPEG", exif=exif), 64)).size == (43, 64)


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "CMYK"])
def test_every_kind_of_colour(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert opened(scaled(encoded(Image.new(mode, (50, 50)), kind), 64)).mode == "RGB"


@pytest.mark.parametrize("options", [{}, {"transparency": 5}])
def test_sixteen_bits_of_grey_are_as_bright_as_eight(options: dict[str, int]) -> None:
    grey = Image.new("I;16", (50, 50), 100 * 257)
    made = opened(scaled(encoded(grey, **options), 64))
    assert made.getpixel((25, 25)) == pytest.approx((100, 100, 100), abs=2)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded() -> None:
    side = int(MOST_PIXELS**0.5) + 1
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(UnusablePicture, match="pixels"):
        scaled(bomb, 64)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        encoded(Image.new("RGB", (500, 500), (1, 2, 3)), "JPEG")[:300],
        encoded(Image.effect_noise((200, 200), 90.0))[:9_000],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0",
    ],
)
def test_what_is_no_picture_or_is_damaged(data: bytes) -> None:
    with pytest.raises(UnusablePicture):
        scaled(data, 64)
