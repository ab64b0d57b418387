"""Whether an analysis is of the file as it is now is kept beside it; totals are read from indexes alone."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

SAME = "{a}.size = {t}.size AND {a}.mtime_ns = {t}.mtime_ns AND {a}.content = {t}.content"


def upgrade() -> None:
    op.add_column("analyses", sa.Column("holds", sa.Boolean(), nullable=False, server_default=sa.false()))
    same = SAME.format(a="analyses", t="tracks")
    op.execute(
        "UPDATE analyses SET holds ="
        f" EXISTS(SELECT 1 FROM tracks WHERE tracks.id = analyses.track_id AND {same})"
    )
    op.create_index("ix_analyses_holds", "analyses", ["holds", "status"])
    op.drop_index("ix_tracks_of_album", "tracks")
    op.create_index("ix_tracks_of_album", "tracks", ["album_id", "missing_since", "size", "duration_ms"])
    if op.get_bind().dialect.name == "sqlite":
        _watch_in_sqlite()
    else:
        _watch_in_postgres()


def _watch_in_sqlite() -> None:
    same = SAME.format(a="new", t="tracks")
    for name, event in (("insert", "INSERT"), ("update", "UPDATE OF track_id, size, mtime_ns, content")):
        op.execute(
            f"CREATE TRIGGER analyses_hold_{name} AFTER {event} ON analyses BEGIN UPDATE analyses"
            f" SET holds = EXISTS(SELECT 1 FROM tracks WHERE tracks.id = new.track_id AND {same})"
            " WHERE track_id = new.track_id; END"
        )
    same = SAME.format(a="analyses", t="new")
    op.execute(
        "CREATE TRIGGER analyses_hold_file AFTER UPDATE OF size, mtime_ns, content ON tracks"
        " WHEN old.size <> new.size OR old.mtime_ns <> new.mtime_ns OR old.content <> new.content"
        f" BEGIN UPDATE analyses SET holds = ({same}) WHERE track_id = new.id; END"
    )


def _watch_in_postgres() -> None:
    same = SAME.format(a="NEW", t="tracks")
    op.execute(
        "CREATE FUNCTION analysis_holds() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.holds ="
        f" EXISTS(SELECT 1 FROM tracks WHERE tracks.id = NEW.track_id AND {same}); RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER analyses_hold BEFORE INSERT OR UPDATE OF track_id, size, mtime_ns, content"
        " ON analyses FOR EACH ROW EXECUTE FUNCTION analysis_holds()"
    )
    same = SAME.format(a="analyses", t="NEW")
    op.execute(
        "CREATE FUNCTION analysis_holds_still() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" UPDATE analyses SET holds = ({same}) WHERE track_id = NEW.id; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER analyses_hold_file AFTER UPDATE OF size, mtime_ns, content ON tracks FOR EACH ROW"
        " WHEN (OLD.size <> NEW.size OR OLD.mtime_ns <> NEW.mtime_ns OR OLD.content <> NEW.content)"
        " EXECUTE FUNCTION analysis_holds_still()"
    )
