"""The first schema: tracks with their albums and artists, what was measured on them, settings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SORT_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _create_artists()
    _create_albums()
    _create_tracks()
    _create_track_artists()
    _create_analyses()
    _create_track_fingerprints()
    _create_track_measures()
    _create_settings()


def _create_artists() -> None:
    op.create_table(
        "artists",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identity", SORT_TEXT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_name", SORT_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artists")),
        sa.UniqueConstraint("identity", name=op.f("uq_artists_identity")),
    )
    op.create_index(op.f("ix_artists_sort_name"), "artists", ["sort_name"], unique=False)


def _create_albums() -> None:
    op.create_table(
        "albums",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("album_artist", sa.Text(), nullable=True),
        sa.Column("sort_title", SORT_TEXT, nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_albums")),
        sa.UniqueConstraint("identity", name=op.f("uq_albums_identity")),
    )
    op.create_index(op.f("ix_albums_sort_title"), "albums", ["sort_title"], unique=False)


def _create_tracks() -> None:
    op.create_table(
        "tracks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.Column("frames_exact", sa.Boolean(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("channel_layout", sa.Text(), nullable=False),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("container", sa.Text(), nullable=False),
        sa.Column("bit_depth", sa.Integer(), nullable=True),
        sa.Column("bitrate", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("artists", sa.JSON(), nullable=False),
        sa.Column("album", sa.Text(), nullable=True),
        sa.Column("album_artist", sa.Text(), nullable=True),
        sa.Column("track_number", sa.Integer(), nullable=True),
        sa.Column("disc_number", sa.Integer(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("genres", sa.JSON(), nullable=False),
        sa.Column("has_cover", sa.Boolean(), nullable=False),
        sa.Column("album_id", sa.Integer(), nullable=True),
        sa.Column("sort_title", SORT_TEXT, nullable=False),
        sa.Column("sort_artist", SORT_TEXT, nullable=False),
        sa.Column("sort_album", SORT_TEXT, nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["album_id"], ["albums.id"], name=op.f("fk_tracks_album_id_albums")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracks")),
        sa.UniqueConstraint("path", name=op.f("uq_tracks_path")),
    )
    op.create_index(
        "ix_tracks_by_album",
        "tracks",
        ["sort_album", "album_id", "disc_number", "track_number", "id", "missing_since"],
        unique=False,
    )
    op.create_index(
        "ix_tracks_by_artist",
        "tracks",
        ["sort_artist", "sort_album", "album_id", "disc_number", "track_number", "id", "missing_since"],
        unique=False,
    )
    op.create_index("ix_tracks_by_time", "tracks", ["created_at", "id", "missing_since"], unique=False)
    op.create_index("ix_tracks_by_title", "tracks", ["sort_title", "id", "missing_since"], unique=False)
    op.create_index("ix_tracks_of_album", "tracks", ["album_id", "missing_since"], unique=False)


def _create_track_artists() -> None:
    op.create_table(
        "track_artists",
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("artist_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["artist_id"], ["artists.id"], name=op.f("fk_track_artists_artist_id_artists")
        ),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_track_artists_track_id_tracks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("track_id", "position", name=op.f("pk_track_artists")),
    )
    op.create_index(op.f("ix_track_artists_artist_id"), "track_artists", ["artist_id"], unique=False)


def _create_analyses() -> None:
    op.create_table(
        "analyses",
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("algorithm_version", sa.Integer(), nullable=False),
        sa.Column("analysed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('complete', 'error')", name=op.f("ck_analyses_status")),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_analyses_track_id_tracks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("track_id", name=op.f("pk_analyses")),
    )


def _create_track_fingerprints() -> None:
    op.create_table(
        "track_fingerprints",
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("sub_bass_pct", sa.Double(), nullable=False),
        sa.Column("bass_pct", sa.Double(), nullable=False),
        sa.Column("low_mid_pct", sa.Double(), nullable=False),
        sa.Column("mid_pct", sa.Double(), nullable=False),
        sa.Column("upper_mid_pct", sa.Double(), nullable=False),
        sa.Column("presence_pct", sa.Double(), nullable=False),
        sa.Column("air_pct", sa.Double(), nullable=False),
        sa.Column("lufs", sa.Double(), nullable=False),
        sa.Column("crest_db", sa.Double(), nullable=False),
        sa.Column("bass_mid_ratio", sa.Double(), nullable=False),
        sa.Column("tempo_bpm", sa.Double(), nullable=False),
        sa.Column("rhythm_stability", sa.Double(), nullable=False),
        sa.Column("transient_density", sa.Double(), nullable=False),
        sa.Column("silence_ratio", sa.Double(), nullable=False),
        sa.Column("spectral_centroid", sa.Double(), nullable=False),
        sa.Column("spectral_rolloff", sa.Double(), nullable=False),
        sa.Column("spectral_flatness", sa.Double(), nullable=False),
        sa.Column("harmonic_ratio", sa.Double(), nullable=False),
        sa.Column("pitch_stability", sa.Double(), nullable=False),
        sa.Column("chroma_energy", sa.Double(), nullable=False),
        sa.Column("dynamic_range_variation", sa.Double(), nullable=False),
        sa.Column("loudness_variation_std", sa.Double(), nullable=False),
        sa.Column("peak_consistency", sa.Double(), nullable=False),
        sa.Column("stereo_width", sa.Double(), nullable=False),
        sa.Column("phase_correlation", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["track_id"],
            ["tracks.id"],
            name=op.f("fk_track_fingerprints_track_id_tracks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("track_id", name=op.f("pk_track_fingerprints")),
    )


def _create_track_measures() -> None:
    op.create_table(
        "track_measures",
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("channels", sa.BigInteger(), nullable=False),
        sa.Column("true_peak_dbtp", sa.Double(), nullable=False),
        sa.Column("lra_lu", sa.Double(), nullable=False),
        sa.Column("plr_db", sa.Double(), nullable=False),
        sa.Column("psr_p10_db", sa.Double(), nullable=False),
        sa.Column("clipped_ppm", sa.Double(), nullable=False),
        sa.Column("dc_offset", sa.Double(), nullable=False),
        sa.Column("bass_phase_correlation", sa.Double(), nullable=False),
        sa.Column("downmix_lufs", sa.Double(), nullable=False),
        sa.Column("downmix_true_peak_dbtp", sa.Double(), nullable=False),
        sa.Column("third_octaves_db", sa.JSON(), nullable=False),
        sa.Column("gating_histogram", sa.JSON(), nullable=False),
        sa.Column("waveform", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_track_measures_track_id_tracks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("track_id", name=op.f("pk_track_measures")),
    )


def _create_settings() -> None:
    op.create_table(
        "settings",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_settings")),
    )
