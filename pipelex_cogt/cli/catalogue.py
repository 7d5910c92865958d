"""`pipelex-cogt catalogue --against SOURCE`: where the models in force and a package's data differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

from pipelex_cogt.cli.layout import Page
from pipelex_cogt.cli.pieces import Piece, bad, counted, doubtful, listed, text_of
from pipelex_cogt.integrations.catalogue import compare
from pipelex_cogt.models.catalogue import CatalogueReport
from pipelex_cogt.models.catalogue_words import CatalogueKind, SourceName
from pipelex_cogt.models.model_manager import ModelManager

Told: TypeAlias = Mapping[str, Any]
"""A difference as data."""


def compare_settings(
    source: SourceName, kinds: Collection[CatalogueKind], env: str | None, settings_dir: Path | None
) -> CatalogueReport:
    """Compare the models of all enabled backends with a source, on today's prices; no credential is asked for."""
    manager = ModelManager.load(settings_dir, env, checks_credentials=False)
    return compare(manager, source, kinds=kinds)


def describe_report(report: CatalogueReport) -> dict[str, Any]:
    """The report as data that JSON can hold."""
    return {**asdict(report), "unknown": {name: [*models] for name, models in report.unknown.items()}}


def print_report(report: Told, page: Page) -> None:
    """Print what `describe_report` tells: how much differs, each difference at its line, and what was not compared."""
    differences = report["differences"]
    numbers = Counter(each["kind"] for each in differences)
    counts = [_count(*each) for each in numbers.items()] or ["no differences"]
    page.flow([Piece(f"{report['source']}:"), *listed(counts)])
    missing: list[Told] = []
    stated: list[Told] = []
    for each in differences:
        (stated if each["field"] else missing).append(each)
    for each in stated:
        _print_difference(each, page)
    for (backend, place), others in groupby(missing, key=lambda each: (each["backend"], each["place"])):
        names = listed(each["model"] for each in others)
        page.flow([doubtful("?"), Piece(place), Piece(f"{backend} does not state"), *names], hang=4)
    _print_not_compared(report, page)


def _print_difference(each: Told, page: Page) -> None:
    change = f"{each['field']}: {text_of(each['stated'])}, known as {text_of(each['known'])}"
    page.flow([bad("~"), Piece(each["place"]), Piece(f"{each['backend']} {each['model']}"), Piece(change)], hang=4)


def _print_not_compared(report: Told, page: Page) -> None:
    for backend, models in report["unknown"].items():
        page.flow([Piece("-"), Piece(f"{backend} not known there:"), *listed(models)], hang=4)
    if report["not_compared"]:
        page.flow([Piece("-"), Piece("no data about"), *listed(report["not_compared"])], hang=4)


def _count(kind: str, number: int) -> str:
    return counted(number, *_NOUNS[kind]) + (" missing" if kind == CatalogueKind.MISSING else "")


_NOUNS: Mapping[str, tuple[str, str]] = {
    CatalogueKind.PRICES: ("price", "prices"),
    CatalogueKind.LIMITS: ("limit", "limits"),
    CatalogueKind.MODALITIES: ("modality", "modalities"),
    CatalogueKind.RETIREMENTS: ("retirement", "retirements"),
    CatalogueKind.MISSING: ("model", "models"),
}
