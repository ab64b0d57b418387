"""Playlists over HTTP."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from tonearm.library.repositories import RepositoryFactory
from tonearm.library.values import Playlist
from tonearm.routers.described import Place, TrackShown, describe_track, place
from tonearm.routers.parameters import Limit, Offset, RowId

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Position = Annotated[int, Field(ge=0, le=1_000_000)]


class PlaylistShown(TypedDict):
    id: int
    name: str
    track_count: int
    duration: float
    created_at: str
    updated_at: str


class Playlists(TypedDict):
    playlists: list[PlaylistShown]


class EntryShown(TypedDict):
    """One place in a playlist; not ``available`` while its file is missing."""

    entry_id: int
    position: int
    available: bool
    track: TrackShown


class EntriesPage(Place):
    entries: list[EntryShown]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Naming(_Body):
    """What a playlist is called."""

    name: Name


class Adding(_Body):
    """Tracks to put in, in this order, before the entry that stands at ``position``; without, at the end."""

    track_ids: Annotated[
        list[Annotated[int, Field(ge=1, le=2**31 - 1)]], Field(min_length=1, max_length=1_000)
    ]
    position: Position | None = None


class Moving(_Body):
    """Where an entry shall stand; beyond the end means the end."""

    position: Position


def build_playlist_router(library: RepositoryFactory) -> APIRouter:
    """Routes on playlists; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/playlists", tags=["playlists"])
    playlists = library.playlists

    @router.get("")
    def listed() -> Playlists:
        return {"playlists": [_described(playlist) for playlist in playlists.all()]}

    @router.post("", status_code=201)
    def create(body: Naming) -> PlaylistShown:
        return _described(playlists.create(body.name))

    @router.get("/{playlist_id}")
    def one(playlist_id: RowId) -> PlaylistShown:
        return _described(playlists.get(playlist_id))

    @router.patch("/{playlist_id}")
    def rename(playlist_id: RowId, body: Naming) -> PlaylistShown:
        return _described(playlists.rename(playlist_id, body.name))

    @router.delete("/{playlist_id}", status_code=204)
    def delete(playlist_id: RowId) -> None:
        playlists.delete(playlist_id)

    @router.get("/{playlist_id}/tracks")
    def entries(playlist_id: RowId, limit: Limit = 50, offset: Offset = 0) -> EntriesPage:
        page = playlists.entries(playlist_id, limit, offset)
        rows: list[EntryShown] = [
            {
                "entry_id": entry.id,
                "position": offset + number,
                "available": entry.track.track.missing_since is None,
                "track": describe_track(entry.track),
            }
            for number, entry in enumerate(page.rows)
        ]
        return {"entries": rows, **place(page.total, limit, offset, len(rows))}

    @router.post("/{playlist_id}/tracks")
    def add(playlist_id: RowId, body: Adding) -> PlaylistShown:
        playlists.add(playlist_id, body.track_ids, body.position)
        return _described(playlists.get(playlist_id))

    @router.patch("/{playlist_id}/tracks/{entry_id}")
    def move(playlist_id: RowId, entry_id: RowId, body: Moving) -> PlaylistShown:
        playlists.move(playlist_id, entry_id, body.position)
        return _described(playlists.get(playlist_id))

    @router.delete("/{playlist_id}/tracks/{entry_id}", status_code=204)
    def remove(playlist_id: RowId, entry_id: RowId) -> None:
        playlists.remove(playlist_id, entry_id)

    return router


def _described(playlist: Playlist) -> PlaylistShown:
    return {
        "id": playlist.id,
        "name": playlist.name,
        "track_count": playlist.track_count,
        "duration": playlist.duration_s,
        "created_at": playlist.created_at.isoformat(),
        "updated_at": playlist.updated_at.isoformat(),
    }
