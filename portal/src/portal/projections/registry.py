"""The projections there are: what is not named here is not shown."""

from __future__ import annotations

from collections.abc import Sequence

from portal.jobs import milestones, rows, state
from portal.jobs import models as job_models
from portal.jobs import projection as jobs
from portal.jobs.models import Job
from portal.projections import losses, models, recordings, services, torrents, totals
from portal.projections.projection import Projection

JOBS = Projection(
    name=jobs.NAME,
    title="Jobs",
    model=Job,
    job_column="id",
    fold=jobs.fold,
    mark=jobs.with_mark,
    rows=rows.rows,
    modules=(jobs, milestones, state, rows, losses, job_models),
)
RECORDINGS = Projection(
    name="recordings",
    title="Recordings",
    model=models.Recording,
    job_column="job_id",
    fold=recordings.fold,
    rows=recordings.rows,
    modules=(recordings, losses, models),
)
TORRENTS = Projection(
    name="torrents",
    title="Torrents",
    model=models.Torrent,
    job_column="job_id",
    fold=torrents.fold,
    rows=torrents.rows,
    modules=(torrents, models),
)
TOTALS = Projection(
    name="totals",
    title="Daily totals",
    model=models.DayShare,
    job_column="job_id",
    fold=totals.fold,
    rows=totals.rows,
    modules=(totals, models),
)
SERVICES = Projection(
    name="services",
    title="Service health",
    model=models.ServiceVoice,
    job_column="job_id",
    fold=services.fold,
    rows=services.rows,
    modules=(services, models),
)

PROJECTIONS: Sequence[Projection] = (JOBS, RECORDINGS, TORRENTS, TOTALS, SERVICES)
NAMES: Sequence[str] = tuple(one.name for one in PROJECTIONS)


def projections_named(names: Sequence[str]) -> Sequence[Projection]:
    """Return projections by name, in the order of the registry; `KeyError` for an unknown one."""
    by_name = {one.name: one for one in PROJECTIONS}
    wanted = {by_name[name].name for name in names}
    return tuple(one for one in PROJECTIONS if one.name in wanted)
