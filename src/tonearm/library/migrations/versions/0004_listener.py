"""What the listener does with the music: favourites, plays, playlists, smart lists."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)
SORT_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _create_favourites()
    _create_plays()
    _create_playlists()
    _create_smart_lists()


def _track_key(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_track_id_tracks")
    return sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=name, ondelete="CASCADE")


def _create_favourites() -> None:
    op.create_table(
        "favourites",
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        _track_key("favourites"),
        sa.PrimaryKeyConstraint("track_id", name=op.f("pk_favourites")),
    )


def _create_plays() -> None:
    op.create_table(
        "plays",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("played_at", MOMENT, nullable=False),
        sa.Column("played_seconds", sa.Double(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        _track_key("plays"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plays")),
    )
    op.create_index("ix_plays_by_time", "plays", ["played_at", "id"])
    op.create_index("ix_plays_track_id", "plays", ["track_id"])
    op.create_table(
        "play_counts",
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_played_at", MOMENT, nullable=False),
        _track_key("play_counts"),
        sa.PrimaryKeyConstraint("track_id", name=op.f("pk_play_counts")),
    )


def _create_playlists() -> None:
    op.create_table(
        "playlists",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_name", SORT_TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playlists")),
    )
    op.create_table(
        "playlist_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("playlist_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["playlist_id"],
            ["playlists.id"],
            name=op.f("fk_playlist_entries_playlist_id_playlists"),
            ondelete="CASCADE",
        ),
        _track_key("playlist_entries"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playlist_entries")),
    )
    op.create_index("ix_playlist_entries_by_position", "playlist_entries", ["playlist_id", "position"])
    op.create_index("ix_playlist_entries_track_id", "playlist_entries", ["track_id"])


def _create_smart_lists() -> None:
    op.create_table(
        "smart_lists",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_name", SORT_TEXT, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_smart_lists")),
    )
