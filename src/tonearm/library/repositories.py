"""One door to everything that is stored."""

from sqlalchemy import select

from tonearm.library.browse_repository import AlbumRepository, ArtistRepository, GenreRepository
from tonearm.library.fingerprint_repository import FingerprintRepository
from tonearm.library.listening_repository import FavouriteRepository, HistoryRepository
from tonearm.library.paging import Pages
from tonearm.library.playlist_repository import PlaylistRepository
from tonearm.library.sessions import DatabaseSessions
from tonearm.library.settings_repository import SettingsRepository
from tonearm.library.similarity import SimilarityRepository
from tonearm.library.smart_list_repository import SmartListRepository
from tonearm.library.tables import tracks
from tonearm.library.track_repository import TrackRepository


class RepositoryFactory:
    """The repositories over one database. They may be used from any thread, and block.

    Attributes:
        tracks, albums, artists, genres: the music.
        fingerprints: what was measured on it.
        favourites, history, playlists, smart_lists: what the listener does with the music.
        settings: what the listener chose.
        similarity: which tracks sound alike.
    """

    def __init__(self, session_factory: DatabaseSessions, pages: Pages) -> None:
        self._sessions = session_factory
        self.tracks = TrackRepository(session_factory, pages)
        self.albums = AlbumRepository(session_factory, pages)
        self.artists = ArtistRepository(session_factory, pages)
        self.genres = GenreRepository(session_factory, pages)
        self.fingerprints = FingerprintRepository(session_factory)
        self.favourites = FavouriteRepository(session_factory)
        self.history = HistoryRepository(session_factory)
        self.playlists = PlaylistRepository(session_factory)
        self.smart_lists = SmartListRepository(session_factory)
        self.similarity = SimilarityRepository(session_factory)
        self.settings = SettingsRepository(session_factory)

    def check(self) -> None:
        """Return if the database answers.

        Raises:
            LibraryUnavailable: it does not.
        """
        with self._sessions.reading() as session:
            session.execute(select(tracks.c.id).limit(1)).all()

    def check_writing(self) -> None:
        """Return if the database stores what is written, by all that is known of the last time.

        Raises:
            LibraryUnavailable: it does not.
        """
        self._sessions.check_writing()

    def close(self) -> None:
        """Give all connections back."""
        self._sessions.close()
