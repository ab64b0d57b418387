"""Smart lists over HTTP: queries with a name, and what they find now."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from tonearm.library.repositories import RepositoryFactory
from tonearm.library.smart.fields import FIELDS
from tonearm.library.smart.tokens import MAX_LENGTH
from tonearm.library.values import SmartList
from tonearm.routers.described import TracksPage, tracks_page
from tonearm.routers.parameters import Limit, Offset, RowId


class SmartListShown(TypedDict):
    id: int
    name: str
    query: str
    created_at: str
    updated_at: str


class SmartLists(TypedDict):
    smart_lists: list[SmartListShown]


class FieldShown(TypedDict):
    """What a query can ask for, and of which kind it is, in words."""

    name: str
    kind: str


class Fields(TypedDict):
    fields: list[FieldShown]


class SmartListBody(BaseModel):
    """A name and a query such as ``lufs > -9 and genre = "Techno" order by tempo_bpm``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
    query: Annotated[str, Field(max_length=MAX_LENGTH)]


def build_smart_list_router(library: RepositoryFactory) -> APIRouter:
    """Routes on smart lists; they block, so they run in the thread pool."""
    router = APIRouter(prefix="/api/smart-lists", tags=["smart lists"])
    lists = library.smart_lists

    def found(query: str, limit: int, offset: int) -> TracksPage:
        return tracks_page(lists.tracks(query, datetime.now(UTC), limit, offset), limit, offset)

    @router.get("")
    def listed() -> SmartLists:
        return {"smart_lists": [_described(one) for one in lists.all()]}

    @router.get("/fields")
    def fields() -> Fields:
        return {"fields": [{"name": name, "kind": kind.value} for name, kind in FIELDS.items()]}

    @router.get("/preview")
    def preview(
        query: Annotated[str, Query(max_length=MAX_LENGTH)], limit: Limit = 50, offset: Offset = 0
    ) -> TracksPage:
        return found(query, limit, offset)

    @router.post("", status_code=201)
    def create(body: SmartListBody) -> SmartListShown:
        return _described(lists.create(body.name, body.query))

    @router.get("/{list_id}")
    def one(list_id: RowId) -> SmartListShown:
        return _described(lists.get(list_id))

    @router.put("/{list_id}")
    def change(list_id: RowId, body: SmartListBody) -> SmartListShown:
        return _described(lists.change(list_id, body.name, body.query))

    @router.delete("/{list_id}", status_code=204)
    def delete(list_id: RowId) -> None:
        lists.delete(list_id)

    @router.get("/{list_id}/tracks")
    def tracks(list_id: RowId, limit: Limit = 50, offset: Offset = 0) -> TracksPage:
        return found(lists.get(list_id).query, limit, offset)

    return router


def _described(smart_list: SmartList) -> SmartListShown:
    return {
        "id": smart_list.id,
        "name": smart_list.name,
        "query": smart_list.query,
        "created_at": smart_list.created_at.isoformat(),
        "updated_at": smart_list.updated_at.isoformat(),
    }
