"""Playlists over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from tonearm.library.repositories import RepositoryFactory
from tonearm.library.values import Playlist
from tonearm.routers.described import describe_page, describe_track
from tonearm.routers.parameters import Limit, Offset, RowId

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Place = Annotated[int, Field(ge=0, le=1_000_000)]


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
    position: Place | None = None


class Moving(_Body):
    """Where an entry shall stand; beyond the end means the end."""

    position: Place


def build_playlist_router(library: RepositoryFactory) -> APIRouter:
    """Routes on playlists; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/playlists", tags=["playlists"])
    playlists = library.playlists

    @router.get("")
    def listed() -> dict[str, Any]:
        return {"playlists": [_described(playlist) for playlist in playlists.all()]}

    @router.post("", status_code=201)
    def create(body: Naming) -> dict[str, Any]:
        return _described(playlists.create(body.name))

    @router.get("/{playlist_id}")
    def one(playlist_id: RowId) -> dict[str, Any]:
        return _described(playlists.get(playlist_id))

    @router.patch("/{playlist_id}")
    def rename(playlist_id: RowId, body: Naming) -> dict[str, Any]:
        return _described(playlists.rename(playlist_id, body.name))

    @router.delete("/{playlist_id}", status_code=204)
    def delete(playlist_id: RowId) -> None:
        playlists.delete(playlist_id)

    @router.get("/{playlist_id}/tracks")
    def entries(playlist_id: RowId, limit: Limit = 50, offset: Offset = 0) -> dict[str, Any]:
        page = playlists.entries(playlist_id, limit, offset)
        rows = [
            {
                "entry_id": entry.id,
                "position": offset + place,
                "available": entry.track.track.missing_since is None,
                "track": describe_track(entry.track),
            }
            for place, entry in enumerate(page.rows)
        ]
        return describe_page("entries", rows, page.total, limit, offset)

    @router.post("/{playlist_id}/tracks")
    def add(playlist_id: RowId, body: Adding) -> dict[str, Any]:
        playlists.add(playlist_id, body.track_ids, body.position)
        return _described(playlists.get(playlist_id))

    @router.patch("/{playlist_id}/tracks/{entry_id}")
    def move(playlist_id: RowId, entry_id: RowId, body: Moving) -> dict[str, Any]:
        playlists.move(playlist_id, entry_id, body.position)
        return _described(playlists.get(playlist_id))

    @router.delete("/{playlist_id}/tracks/{entry_id}", status_code=204)
    def remove(playlist_id: RowId, entry_id: RowId) -> None:
        playlists.remove(playlist_id, entry_id)

    return router


def _described(playlist: Playlist) -> dict[str, Any]:
    return {
        "id": playlist.id,
        "name": playlist.name,
        "track_count": playlist.track_count,
        "duration": playlist.duration_s,
        "created_at": playlist.created_at.isoformat(),
        "updated_at": playlist.updated_at.isoformat(),
    }
