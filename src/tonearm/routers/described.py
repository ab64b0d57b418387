"""What the library holds, as the API shows it."""

from typing_extensions import TypedDict

from tonearm.library.values import (
    AlbumPage,
    AlbumSummary,
    ArtistSummary,
    FingerprintStatus,
    GenreSummary,
    TrackPage,
    TrackSummary,
)
from tonearm.model.track import Track


class TrackShown(TypedDict):
    """A track: what it is and what it sounds like on paper, never where it lies.

    ``duration`` in seconds, ``sample_rate`` in Hz, ``bitrate`` in bit/s, ``filesize`` in bytes.
    """

    id: int
    title: str
    artist: str | None
    artists: list[str]
    album: str | None
    album_id: int | None
    track_number: int | None
    disc_number: int | None
    year: int | None
    genres: list[str]
    duration: float
    sample_rate: int
    channels: int
    bit_depth: int | None
    format: str
    bitrate: int | None
    filesize: int
    artwork_url: str
    favorite: bool
    play_count: int
    fingerprint_status: FingerprintStatus
    created_at: str
    updated_at: str


class AlbumShown(TypedDict):
    """An album; ``duration`` in seconds, ``year`` the earliest of its tracks."""

    id: int
    title: str
    artist: str | None
    year: int | None
    track_count: int
    duration: float
    artwork_url: str


class AlbumWithTracks(AlbumShown):
    tracks: list[TrackShown]


class ArtistShown(TypedDict):
    id: int
    name: str
    track_count: int
    album_count: int


class GenreShown(TypedDict):
    id: int
    name: str
    track_count: int


class Place(TypedDict):
    """Where in a list a page stands."""

    total: int
    limit: int
    offset: int
    has_more: bool


class TracksPage(Place):
    tracks: list[TrackShown]


class AlbumsPage(Place):
    albums: list[AlbumShown]


class ArtistsPage(Place):
    artists: list[ArtistShown]


class GenresPage(Place):
    genres: list[GenreShown]


def place(total: int, limit: int, offset: int, rows: int) -> Place:
    """Of a page of ``rows`` rows in a list of ``total``."""
    return {"total": total, "limit": limit, "offset": offset, "has_more": offset + rows < total}


def tracks_page(page: TrackPage, limit: int, offset: int) -> TracksPage:
    at = place(page.total, limit, offset, len(page.rows))
    return {"tracks": [describe_track(row) for row in page.rows], **at}


def albums_page(page: AlbumPage, limit: int, offset: int) -> AlbumsPage:
    at = place(page.total, limit, offset, len(page.rows))
    return {"albums": [describe_album(row) for row in page.rows], **at}


def describe_track(summary: TrackSummary) -> TrackShown:
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


def describe_album(album: AlbumSummary) -> AlbumShown:
    return {
        "id": album.id,
        "title": album.title,
        "artist": album.artist,
        "year": album.year,
        "track_count": album.track_count,
        "duration": album.duration_s,
        "artwork_url": f"/api/albums/{album.id}/artwork",
    }


def describe_artist(artist: ArtistSummary) -> ArtistShown:
    return {
        "id": artist.id,
        "name": artist.name,
        "track_count": artist.track_count,
        "album_count": artist.album_count,
    }


def describe_genre(genre: GenreSummary) -> GenreShown:
    return {"id": genre.id, "name": genre.name, "track_count": genre.track_count}
