"""The words of tracks lie in a narrow table of their own in Postgres, as they do in SQLite.

Counting what a common word finds looks at each row that has it, and those of ``tracks`` are five times as
wide. What is written goes into the index at once: a list of what is to be indexed later would be read by
every search.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

WORDS = "array_to_tsvector(string_to_array({row}.search_text, ' '))"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute("DROP INDEX tracks_words")
    op.execute(
        "CREATE TABLE tracks_words (id integer PRIMARY KEY REFERENCES tracks ON DELETE CASCADE,"
        " words tsvector NOT NULL)"
    )
    op.execute(
        f"INSERT INTO tracks_words SELECT id, {WORDS.format(row='tracks')} FROM tracks"
        " WHERE missing_since IS NULL"
    )
    op.execute("CREATE INDEX tracks_words_index ON tracks_words USING gin (words) WITH (fastupdate = off)")
    for table in ("albums", "artists"):
        op.execute(f"ALTER INDEX {table}_words SET (fastupdate = off)")
    op.execute(
        "CREATE FUNCTION keep_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.missing_since IS NULL THEN"
        f"  INSERT INTO tracks_words VALUES (NEW.id, {WORDS.format(row='NEW')})"
        "  ON CONFLICT (id) DO UPDATE SET words = EXCLUDED.words;"
        " ELSE DELETE FROM tracks_words WHERE id = NEW.id; END IF;"
        " RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER tracks_words_insert AFTER INSERT ON tracks FOR EACH ROW EXECUTE FUNCTION keep_words()"
    )
    op.execute(
        "CREATE TRIGGER tracks_words_update AFTER UPDATE OF search_text, missing_since ON tracks FOR EACH ROW"
        " WHEN (OLD.search_text <> NEW.search_text"
        " OR (OLD.missing_since IS NULL) <> (NEW.missing_since IS NULL))"
        " EXECUTE FUNCTION keep_words()"
    )
