"""What the library holds, as the API shows it."""

from collections.abc import Sequence
from typing import Any

from tonearm.library.values import AlbumSummary, ArtistSummary, GenreSummary, TrackSummary
from tonearm.model.track import Track


def describe_track(summary: TrackSummary) -> dict[str, Any]:
    """A track: what it is and what it sounds like on paper, never where it lies."""
    track, tags = summary.track, summary.track.tags
    return {
        "id": track.id,
        "title": summary.title,
        "artist": summary.artist,
        "artists": list(tags.artists),
        "album": tags.album,
        "album_id": track.album_id,
        "track_number": tags.track_number,
        "disc_number": tags.disc_number,
        "year": tags.year,
        "genres": list(tags.genres),
        "duration": track.info.duration_s,
        "sample_rate": track.info.format.rate,
        "channels": track.info.format.channels,
        "bit_depth": track.info.bit_depth,
        "format": track.info.codec,
        "bitrate": track.info.bitrate,
        "filesize": track.signature.size,
        "artwork_url": _artwork_url(track),
        "favorite": summary.favourite,
        "play_count": summary.play_count,
        "fingerprint_status": summary.fingerprint_status,
        "created_at": track.created_at.isoformat(),
        "updated_at": track.updated_at.isoformat(),
    }


def _artwork_url(track: Track) -> str:
    """Where the picture is, if there is one: only who opens the files can tell."""
    if track.album_id is None:
        return f"/api/tracks/{track.id}/artwork"
    return f"/api/albums/{track.album_id}/artwork"


def describe_album(album: AlbumSummary) -> dict[str, Any]:
    """An album, without its tracks."""
    return {
        "id": album.id,
        "title": album.title,
        "artist": album.artist,
        "year": album.year,
        "track_count": album.track_count,
        "duration": album.duration_s,
        "artwork_url": f"/api/albums/{album.id}/artwork",
    }


def describe_artist(artist: ArtistSummary) -> dict[str, Any]:
    return {
        "id": artist.id,
        "name": artist.name,
        "track_count": artist.track_count,
        "album_count": artist.album_count,
    }


def describe_genre(genre: GenreSummary) -> dict[str, Any]:
    return {"id": genre.id, "name": genre.name, "track_count": genre.track_count}


def describe_page(
    name: str, rows: Sequence[dict[str, Any]], total: int, limit: int, offset: int
) -> dict[str, Any]:
    """A part of a list under ``name``, and where in the list it stands."""
    place = {"total": total, "limit": limit, "offset": offset, "has_more": offset + len(rows) < total}
    return {name: list(rows), **place}
