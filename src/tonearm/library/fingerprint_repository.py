"""Fingerprints with their measures: complete rows, or the reason why there are none."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from tonearm.library.queries import ANALYSIS_OF_THIS_FILE, VISIBLE, is_id, require_page
from tonearm.library.rows import track_from
from tonearm.library.sessions import DatabaseSessions
from tonearm.library.tables import (
    MEASURE_NAMES,
    TUPLE_MEASURES,
    analyses,
    library_state,
    track_fingerprints,
    track_measures,
    tracks,
)
from tonearm.library.values import FingerprintCounts, FingerprintStatus
from tonearm.model.errors import TrackNotFound
from tonearm.model.fingerprint import ALGORITHM_VERSION, DIMENSION_NAMES, Fingerprint
from tonearm.model.measures import Analysis, TrackMeasures
from tonearm.model.track import FileSignature, Track

_COMPLETE: Final = analyses.c.status == FingerprintStatus.COMPLETE.value

_LOOKUP: Final = (
    select(
        analyses.c.algorithm_version,
        *(track_fingerprints.c[name] for name in DIMENSION_NAMES),
        *(track_measures.c[name] for name in MEASURE_NAMES),
    )
    .select_from(analyses)
    .join(track_fingerprints, track_fingerprints.c.track_id == analyses.c.track_id)
    .join(track_measures, track_measures.c.track_id == analyses.c.track_id)
    .where(
        analyses.c.track_id == bindparam("track_id"),
        analyses.c.size == bindparam("size"),
        analyses.c.mtime_ns == bindparam("mtime_ns"),
        analyses.c.content == bindparam("content"),
        _COMPLETE,
    )
)

_OUTDATED: Final = and_(
    analyses.c.algorithm_version < ALGORITHM_VERSION,
    or_(analyses.c.failed_version.is_(None), analyses.c.failed_version < ALGORITHM_VERSION),
)

_FAILURE: Final = select(analyses.c.error_code).where(
    analyses.c.track_id == bindparam("track_id"),
    analyses.c.size == bindparam("size"),
    analyses.c.mtime_ns == bindparam("mtime_ns"),
    analyses.c.content == bindparam("content"),
    analyses.c.failed_version >= ALGORITHM_VERSION,
)


class FingerprintRepository:
    """``analyses``, ``track_fingerprints`` and ``track_measures``.

    Calls block; every method may raise ``LibraryUnavailable``.
    """

    def __init__(self, sessions: DatabaseSessions) -> None:
        self._sessions = sessions

    def get(self, track_id: int, signature: FileSignature) -> Analysis | None:
        """What was measured on exactly this state of the file, by whichever algorithm version.

        None where the track was never measured, could not be, or its file has changed since.
        """
        if not is_id(track_id):
            return None
        key = {"track_id": track_id, **_signature_values(signature)}
        with self._sessions.reading() as session:
            row = session.execute(_LOOKUP, key).one_or_none()
        if row is None:
            return None
        version, values = row[0], row[1:]
        dimensions = len(DIMENSION_NAMES)
        measures = dict(zip(MEASURE_NAMES, values[dimensions:], strict=True))
        measures.update((name, tuple(measures[name])) for name in TUPLE_MEASURES)
        return Analysis(
            fingerprint=Fingerprint(**dict(zip(DIMENSION_NAMES, values[:dimensions], strict=True))),
            measures=TrackMeasures(**measures),
            algorithm_version=version,
        )

    def failure(self, track_id: int, signature: FileSignature) -> str | None:
        """The code of the error that measuring exactly this state of the file by the present algorithm
        ended in; None where it has not been tried, or went well."""
        if not is_id(track_id):
            return None
        key = {"track_id": track_id, **_signature_values(signature)}
        with self._sessions.reading() as session:
            return session.execute(_FAILURE, key).scalar_one_or_none()

    def put(self, track_id: int, signature: FileSignature, analysis: Analysis) -> None:
        """Store a fingerprint with its measures, in one transaction, over what was there.

        Raises:
            TrackNotFound: there is no such track.
        """
        fingerprint = {name: float(value) for name, value in analysis.fingerprint.as_mapping().items()}
        with self._sessions.writing() as session:
            _require_track(session, track_id)
            _forget(session, track_id)
            _insert_analysis(
                session, track_id, signature, FingerprintStatus.COMPLETE, None, analysis.algorithm_version
            )
            # Writers take turns, so the numbers rise in the order in which others see the rows.
            raised = update(library_state).values(fingerprints=library_state.c.fingerprints + 1)
            number = session.execute(raised.returning(library_state.c.fingerprints)).scalar_one()
            session.execute(update(analyses).where(analyses.c.track_id == track_id).values(revision=number))
            session.execute(insert(track_fingerprints).values(track_id=track_id, **fingerprint))
            session.execute(
                insert(track_measures).values(track_id=track_id, **_measure_values(analysis.measures))
            )

    def record_failure(self, track_id: int, signature: FileSignature, code: str) -> None:
        """Note why this state of the file has no fingerprint. It stays pending for other states of the
        file and for later algorithms alone.

        A fingerprint that an older algorithm gave for the same state of the file stays in use; that
        it could not be measured again is noted beside it.

        Raises:
            TrackNotFound: there is no such track.
        """
        kept = update(analyses).where(
            analyses.c.track_id == track_id,
            *(analyses.c[name] == value for name, value in _signature_values(signature).items()),
            _COMPLETE,
        )
        with self._sessions.writing() as session:
            _require_track(session, track_id)
            noted = kept.values(error_code=code, failed_version=ALGORITHM_VERSION)
            if session.connection().execute(noted).rowcount == 0:
                _forget(session, track_id)
                _insert_analysis(
                    session, track_id, signature, FingerprintStatus.ERROR, code, ALGORITHM_VERSION
                )

    def counts(self) -> FingerprintCounts:
        """How many tracks there are, measured, waiting and failed; missing files do not count."""
        everything = select(func.count()).select_from(tracks).where(VISIBLE)
        with self._sessions.reading() as session:
            total = session.execute(everything).scalar_one()
            complete = _count(session, FingerprintStatus.COMPLETE)
            failed = _count(session, FingerprintStatus.ERROR)
        return FingerprintCounts(total, complete, total - complete - failed, failed)

    def pending(self, limit: int) -> list[Track]:
        """Tracks to measure: first those never measured as they are, then those that an older algorithm
        measured, or could not measure.

        Raises:
            ValueError: ``limit`` is negative.
        """
        require_page(limit, 0)
        never = analyses.c.track_id.is_(None)
        statement = (
            select(tracks)
            .select_from(tracks.outerjoin(analyses, ANALYSIS_OF_THIS_FILE))
            .where(VISIBLE, or_(never, _OUTDATED))
            .order_by(never.desc(), tracks.c.id)
            .limit(limit)
        )
        with self._sessions.reading() as session:
            return [track_from(row) for row in session.execute(statement)]


def _count(session: Session, status: FingerprintStatus) -> int:
    """Tracks whose files are there: all in the index, less the few that are missing."""
    missing = select(tracks.c.id).where(tracks.c.missing_since.is_not(None))
    held = select(func.count()).where(analyses.c.holds, analyses.c.status == status.value)
    gone = held.where(analyses.c.track_id.in_(missing))
    return int(session.execute(held).scalar_one()) - int(session.execute(gone).scalar_one())


def _signature_values(signature: FileSignature) -> dict[str, Any]:
    return {"size": signature.size, "mtime_ns": signature.mtime_ns, "content": signature.content}


def _measure_values(measures: TrackMeasures) -> Mapping[str, Any]:
    values: dict[str, Any] = {name: getattr(measures, name) for name in MEASURE_NAMES}
    values.update((name, list(values[name])) for name in TUPLE_MEASURES)
    return values


def _require_track(session: Session, track_id: int) -> None:
    exists = select(tracks.c.id).where(tracks.c.id == track_id)
    if not is_id(track_id) or session.execute(exists).one_or_none() is None:
        raise TrackNotFound(f"there is no track {track_id}")


def _forget(session: Session, track_id: int) -> None:
    for table in (track_measures, track_fingerprints, analyses):
        session.execute(delete(table).where(table.c.track_id == track_id))


def _insert_analysis(
    session: Session,
    track_id: int,
    signature: FileSignature,
    status: FingerprintStatus,
    error_code: str | None,
    algorithm_version: int,
) -> None:
    session.execute(
        insert(analyses).values(
            track_id=track_id,
            status=status.value,
            error_code=error_code,
            failed_version=None if error_code is None else algorithm_version,
            algorithm_version=algorithm_version,
            analysed_at=datetime.now(UTC),
            **_signature_values(signature),
        )
    )
