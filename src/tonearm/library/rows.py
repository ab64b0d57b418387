"""Between the rows of ``tracks`` and the values of the model."""

import os
from typing import Any

from sqlalchemy import Row

from tonearm.library.text import LAST, fold, identity, printable
from tonearm.library.words import indexed
from tonearm.model.audio import AudioFormat, AudioInfo
from tonearm.model.track import FileSignature, ScannedFile, Tags, Track, is_disc_folder


def track_values(file: ScannedFile) -> dict[str, Any]:
    """The columns of ``tracks`` that follow from the file alone."""
    info, tags, signature = file.info, file.tags, file.signature
    title = tags.title or printable(file.path.stem)
    artist_line = ", ".join(tags.artists)
    return {
        "path": file.path,
        "size": signature.size,
        "mtime_ns": signature.mtime_ns,
        "content": signature.content,
        "frames": info.frames,
        "frames_exact": info.frames_exact,
        "rate": info.format.rate,
        "channels": info.format.channels,
        "channel_layout": info.channel_layout,
        "codec": info.codec,
        "container": info.container,
        "bit_depth": info.bit_depth,
        "bitrate": info.bitrate,
        "title": tags.title,
        "artists": list(tags.artists),
        "album": tags.album,
        "album_artist": tags.album_artist,
        "track_number": tags.track_number,
        "disc_number": tags.disc_number,
        "year": tags.year,
        "genres": list(tags.genres),
        "has_cover": tags.has_cover,
        "sort_title": fold(title) or LAST,
        "sort_artist": fold(artist_line) or LAST,
        "sort_album": fold(tags.album or "") or LAST,
        "search_text": indexed(title, *tags.artists, tags.album, tags.album_artist, *tags.genres),
        "sort_year": tags.year or 0,
        "duration_ms": info.frames * 1000 // info.format.rate,
        "missing_since": None,
    }


def album_position(album_id: int | None, tags: Tags) -> int:
    """Album, disc and number as one number to order by: 31, 12 and 20 bits; 0 without an album."""
    if album_id is None:
        return 0
    disc, number = min(tags.disc_number or 0, 2**12 - 1), min(tags.track_number or 0, 2**20 - 1)
    return album_id << 32 | disc << 20 | number


def album_identity(file: ScannedFile) -> bytes:
    """What makes two tracks parts of one album.

    The title and the album artist; where no album artist is tagged, the title and the folder (folders
    such as ``CD 2`` count as the folder around them), so that a compilation stays in one piece.
    """
    title = identity(file.tags.album or "").encode()
    if file.tags.album_artist:
        return title + b"\0" + identity(file.tags.album_artist).encode()
    folder = file.path.parent
    if is_disc_folder(folder.name):
        folder = folder.parent
    return title + b"\0\0" + os.fsencode(folder)


def track_from(row: Row[Any]) -> Track:
    """Read a track from a row that holds all columns of ``tracks``."""
    return Track(
        id=row.id,
        path=row.path,
        signature=FileSignature(size=row.size, mtime_ns=row.mtime_ns, content=row.content),
        info=AudioInfo(
            format=AudioFormat(rate=row.rate, channels=row.channels),
            frames=row.frames,
            frames_exact=row.frames_exact,
            codec=row.codec,
            container=row.container,
            bit_depth=row.bit_depth,
            bitrate=row.bitrate,
            channel_layout=row.channel_layout,
        ),
        tags=Tags(
            title=row.title,
            artists=tuple(row.artists),
            album=row.album,
            album_artist=row.album_artist,
            track_number=row.track_number,
            disc_number=row.disc_number,
            year=row.year,
            genres=tuple(row.genres),
            has_cover=row.has_cover,
        ),
        album_id=row.album_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        missing_since=row.missing_since,
    )
