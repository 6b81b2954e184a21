"""Jobs start when their needs are met, and a failure stops only what needs it."""

import threading

from crmlib.workbook.schedule import Job, Schedule


def chain(log: list, *, fail: str = "") -> list[Job]:
    def work(name: str) -> None:
        if name == fail:
            raise ValueError(name)
        log.append(name)

    needs = {"01": "", "02": "01", "03": "02", "04": "03", "05": "03", "12": "03 04 05"}
    return [Job(name, lambda name=name: work(name), frozenset(need.split())) for name, need in needs.items()]


def test_a_notebook_starts_only_when_all_it_reads_is_written():
    log: list[str] = []
    assert Schedule(chain(log), workers=4).perform() == {}
    assert log[:3] == ["01", "02", "03"]
    assert sorted(log[3:5]) == ["04", "05"]
    assert log[5] == "12"


def test_what_needs_a_failed_notebook_is_left_out_and_the_rest_is_done():
    log: list[str] = []
    failed = Schedule(chain(log, fail="04"), workers=2).perform()
    assert log == ["01", "02", "03", "05"]
    assert list(failed) == ["04"]


def test_independent_notebooks_run_at_the_same_time():
    both = threading.Barrier(2, timeout=10)  # passed only if both wait at once
    jobs = [Job(name, lambda: both.wait() and None) for name in ("04", "05")]
    assert Schedule(jobs, workers=2).perform() == {}


def test_jobs_that_come_to_light_on_the_way_are_done_too():
    log: list[str] = []
    later = [Job("period", lambda: log.append("period"), frozenset({"clean"}))]
    assert Schedule([Job("clean", lambda: log.append("clean") or later)], workers=1).perform() == {}
    assert log == ["clean", "period"]


def test_the_first_period_is_done_before_the_last_one_is_begun():
    log: list[str] = []
    jobs = []
    for period in ("Q1", "Q2", "Q3"):
        jobs.append(Job(f"{period}-03", lambda period=period: log.append(f"{period}-03")))
        needs = frozenset({f"{period}-03"})
        jobs.append(Job(f"{period}-12", lambda period=period: log.append(f"{period}-12"), needs))
    Schedule(jobs, workers=1).perform()
    assert log == ["Q1-03", "Q1-12", "Q2-03", "Q2-12", "Q3-03", "Q3-12"]
