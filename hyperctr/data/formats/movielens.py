"""MovieLens 100K, 1M, 10M and the CSV family (20M, 25M, 32M, latest), with MMTF-14K or M3L features beside them.

A click is a rating of 4 and more; a lower rating is a real non-click: watched, and not liked. Titles, genres and tags
become the textual modality (TF-IDF, 128 singular directions) unless M3L's text features are there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.data.engine import table
from hyperctr.data.formats.beside import word_vectors
from hyperctr.data.formats.format import Format, Log, part_of
from hyperctr.data.formats.movie_features import CHOICES, movie_features
from hyperctr.data.formats.release import Release
from hyperctr.data.sources import Kind, TextFile, first_lines, header_of
from hyperctr.errors import DataError

CLICK = "rating >= 4"
NON_CLICKS = "ratings below 4: watched, and not liked"
LICENCE = (
    "MovieLens, (c) GroupLens, University of Minnesota: for research, not for commercial or revenue-bearing purposes "
    "without permission; may not be redistributed (latest-small may, under the same conditions); cite Harper and "
    "Konstan 2015, The MovieLens Datasets: History and Context, ACM TiiS 5(4), https://doi.org/10.1145/2827872. The "
    "full text is the README beside the files."
)
GET = "Get {} from https://grouplens.org/datasets/movielens/ and unpack it."
GENRES = (
    *(
        "unknown",
        "Action",
        "Adventure",
        "Animation",
        "Children's",
        "Comedy",
        "Crime",
        "Documentary",
        "Drama",
        "Fantasy",
    ),
    *("Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
RATINGS: dict[str, Kind] = {"userId": "integer", "movieId": "integer", "rating": "number", "timestamp": "integer"}
MOVIES: dict[str, Kind] = {"movieId": "integer", "title": "text", "genres": "text"}
TAGS: dict[str, Kind] = {"userId": "integer", "movieId": "integer", "tag": "text", "timestamp": "integer"}
ALIASES = {"user": "userId", "movie": "movieId", "item": "movieId", "itemid": "movieId"}

_DAT = Log(
    files=("ratings.dat",),
    columns=RATINGS,
    user="userId",
    item="movieId",
    time="timestamp",
    click=CLICK,
    non_clicks=NON_CLICKS,
    separator="::",
    header=False,
    quote="",
)
_100K = replace(_DAT, files=("u.data",), separator="\t")
_CSV = replace(_DAT, files=("ratings.csv",), separator=",", header=True, quote='"')


def _read(
    source: Callable[[Path, dict[str, Kind]], TextFile],
    form: Format,
    root: Path,
    folder: Path,
    rule: str,
    **options: Any,
) -> Release:
    """Read a folder of any of the layouts; ``source`` says how one of its files is written."""
    stem = form.log.files[0]
    ratings = source(root / stem, RATINGS)
    if stem == "u.data":
        movies = _movies_100k(root / "u.item")
        tags = None
    else:
        movies = table(source(root / stem.replace("ratings", "movies"), MOVIES), MOVIES).to_pandas()
        tags = root / stem.replace("ratings", "tags")
    repeated = movies["movieId"].duplicated()
    if repeated.any():
        raise DataError(f"{root}: movie {movies['movieId'][repeated].iloc[0]} is listed twice; get the files again")
    movies = movies.sort_values("movieId", kind="stable").reset_index(drop=True)
    words = [_about(title, genres) for title, genres in zip(movies["title"], movies["genres"], strict=True)]
    if tags is not None and tags.is_file():
        _add_tags(
            words, movies["movieId"], table(source(tags, TAGS), {"movieId": "integer", "tag": "text"}).to_pandas()
        )
    vectors, notes = movie_features(root, folder, **options)
    if all(given.modality != "textual" for given in vectors):
        vectors += word_vectors(movies["movieId"].to_numpy(np.int64), words, "TF-IDF of title, genres, tags")
    if form.name == "movielens-10m":
        notes.append("ratings.dat has fewer users than the 71,567 that are quoted: those include some who only tagged")
    part = part_of(form.log, ratings.path, rule, ratings)
    items = movies.rename(columns={"movieId": "item_id"})
    return Release(_name(form, root), [part], form.log.clock, rule, vectors, items, notes)


def _about(title: str, genres: str) -> list[str]:
    """Return the words of a title, without the year, and the genres."""
    plain = re.sub(r"\(\d{4}[^)]*\)\s*$", "", title)
    return [*_words(plain), *(f"genre:{genre.lower()}" for genre in genres.split("|") if genre and genre[0] != "(")]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _add_tags(words: list[list[str]], movies: pd.Series[int], tags: pd.DataFrame) -> None:
    place = {movie: row for row, movie in enumerate(movies)}
    for movie, tag in zip(tags["movieId"], tags["tag"], strict=True):
        if movie in place:
            words[place[movie]] += _words(tag)


def _name(form: Format, root: Path) -> str:
    """Name a set of the CSV family after its folder: ml-25m is movielens-25m."""
    known = re.fullmatch(r"ml-(20m|25m|32m|latest|latest-small)", root.resolve().name, re.IGNORECASE)
    return f"movielens-{known[1].lower()}" if known and form.log is _CSV else form.name.removesuffix("-csv")


def _movies_100k(path: Path) -> pd.DataFrame:
    """Read ``u.item``, in which every genre is a column of 0 and 1."""
    flags = [f"is {genre}" for genre in GENRES]
    columns = ("movieId", "title", "released", "video", "url", *flags)
    kinds: dict[str, Kind] = {"movieId": "integer", "title": "text", **dict.fromkeys(flags, "flag")}
    frame = table(TextFile(path, columns, "|", header=0, quote="", encoding=_encoding(path)), kinds).to_pandas()
    marked = frame[flags].to_numpy(dtype=bool) if len(frame) else np.empty((0, len(flags)), bool)
    genres = ["|".join(genre for genre, given in zip(GENRES, row, strict=True) if given) for row in marked]
    return pd.DataFrame({"movieId": frame["movieId"], "title": frame["title"], "genres": genres})


def _dat(path: Path, columns: dict[str, Kind], separator: str = "::") -> TextFile:
    encoding = "utf-8" if path.name.startswith(("ratings", "u.")) else _encoding(path)
    return TextFile(path, tuple(columns), separator, header=0, quote="", encoding=encoding)


def _csv(path: Path, columns: dict[str, Kind]) -> TextFile:
    """Return a file of the CSV family; copies rename its columns, or leave the header out."""
    lines = first_lines(path, 3)
    first = next((line for line in lines if line.strip()), "")
    if re.match(r'"?\d', first):
        return TextFile(path, tuple(columns), header=0)
    names = header_of(path)
    plain = {column.lower(): column for column in columns} | ALIASES
    ours = tuple(plain.get(name.lower().replace("_", ""), name) for name in names)
    for column in columns:
        if ours.count(column) != 1:
            problem = "is missing" if column not in ours else "stands twice"
            raise DataError(f"{path}, line 1: column {column!r} {problem}; found {', '.join(names)[:200]}")
    return TextFile(path, ours)


def _encoding(path: Path) -> str:
    """Return latin-1 for a file that is no UTF-8: releases and copies of them differ."""
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


FORMATS = (
    Format(
        name="movielens-100k",
        about="MovieLens 100K: u.data, u.item",
        licence=LICENCE,
        get=GET.format("ml-100k.zip"),
        log=_100K,
        marks=("u.item",),
        read_as=partial(_read, partial(_dat, separator="\t")),
        options=CHOICES,
    ),
    Format(
        name="movielens-1m",
        about="MovieLens 1M: ratings.dat, movies.dat, users.dat",
        licence=LICENCE,
        get=GET.format("ml-1m.zip"),
        log=_DAT,
        marks=("movies.dat", "users.dat"),
        read_as=partial(_read, _dat),
        options=CHOICES,
    ),
    Format(
        name="movielens-10m",
        about="MovieLens 10M, the paper's: ratings.dat, movies.dat, tags.dat",
        licence=LICENCE,
        get=GET.format("ml-10m.zip"),
        log=_DAT,
        marks=("movies.dat",),
        read_as=partial(_read, _dat),
        options=CHOICES,
    ),
    Format(
        name="movielens-csv",
        about="MovieLens 20M, 25M, 32M, latest, latest-small: ratings.csv, movies.csv",
        licence=LICENCE,
        get=GET.format("ml-32m.zip (or ml-25m, ml-20m, ml-latest-small)"),
        log=_CSV,
        marks=("movies.csv",),
        read_as=partial(_read, _csv),
        options=CHOICES,
    ),
)
