"""Releases of the public layouts with some thousand rows of ``planted`` in them, so that a model can be trained.

What stands in the files is invented; how it is written follows the published layouts, as in ``releases.py``.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tests.data.world import World
from tests.data.writers import h5, parquet, save, text, write

Writer = Callable[[Path, World], None]


def movielens_100k(top: Path, world: World) -> None:
    rows = world.frame(first_item=1, rating=world.stars, time=world.time)
    text(top / "ml-100k" / "u.data", rows.assign(user=rows["user"] + 1), "u,i,r,t", "\t", header=False)
    flags = "0|" * 17 + "1|0"
    lines = (f"{k}|{title} (1995)|01-Jan-1995||http://x|{flags}\n" for k, title in enumerate(world.titles, 1))
    write(top / "ml-100k" / "u.item", "".join(lines), "latin-1")


def movielens_dat(top: Path, world: World, folder: str, half: float) -> None:
    rows = world.frame(first_item=1, rating=world.stars - half, time=world.time)
    rows["rating"] = rows["rating"].where(~world.clicked, rows["rating"] + half)
    text(top / folder / "ratings.dat", rows.assign(user=rows["user"] + 1), "u,i,r,t", "::", header=False)
    lines = (f"{k}::{title} (1995)::Drama|War\n" for k, title in enumerate(world.titles, 1))
    write(top / folder / "movies.dat", "".join(lines))
    other = "users.dat" if folder == "ml-1m" else "tags.dat"
    write(top / folder / other, "1::F::1::10::48067\n" if folder == "ml-1m" else "1::7::black & white::1215184630\n")


def movielens_csv(top: Path, world: World) -> None:
    rows = world.frame(first_item=1, rating=world.stars.astype(float), time=world.time)
    text(top / "ml-25m" / "ratings.csv", rows, "userId,movieId,rating,timestamp")
    lines = (f'{k},"{title}, again (1995)",Drama|War\n' for k, title in enumerate(world.titles, 1))
    write(top / "ml-25m" / "movies.csv", "movieId,title,genres\n" + "".join(lines))
    vectors = world.vectors["visual"][:, :20]
    table = pd.DataFrame(vectors, columns=[f"A{k}" for k in range(20)])
    table.insert(0, "movieId", np.arange(1, world.count + 1))
    path = top / "MMTF" / "Visual" / "Aesthetic features" / "Avg" / "AestheticFeatures - AVG - All.csv"
    path.parent.mkdir(parents=True)
    table.to_csv(path, index=False)


def kuaishou_challenge(top: Path, world: World) -> None:
    play = np.where(world.clicked, 9, 0)
    more = {"click": world.clicked * 1, "like": 0, "follow": 0, "time": world.time * 1000 - 760_000_000_000}
    rows = world.frame(**more, play=play, duration=11)
    names = "user,photo,click,like,follow,time,playing,duration"
    text(top / "train" / "train_interaction.txt", rows, names, "\t", header=False)
    for photo, vector in enumerate(world.vectors["visual"]):
        save(top / "train" / "final_visual_train" / str(photo), vector[None])
    faces = (f"{photo}\t[[0.25,{photo % 2},20,60.5]]\n" for photo in range(world.count))
    write(top / "train" / "train_face.txt", "".join(faces))
    words = (f"{photo}\t{photo % 7},{photo % 11}\n" for photo in range(world.count))
    write(top / "train" / "train_text.txt", "".join(words))


def alpine(top: Path, world: World) -> None:
    rows = zip(world.users.tolist(), world.items.tolist(), world.clicked.tolist(), world.time.tolist(), strict=True)
    samples = [((user, item, int(click), 0, 0, time), 0, 0) for user, item, click, time in rows]
    parts = (samples[: world.train], samples[world.train :], [[]], [[]], [[]], [[]])
    write(top / "alpine" / "dataset.pkl", b"".join(pickle.dumps(part, 3) for part in parts))
    save(top / "alpine" / "visual64_select.npy", world.padded)


def kuaivideo_x1(top: Path, world: World) -> None:
    rows = world.frame(time=world.time, click=world.clicked * 1, like=0, follow=0, pos="", neg="0^2")
    rows = rows[["time", "user", "item", "click", "like", "follow", "pos", "neg"]]
    names = "timestamp,user_id,item_id,is_click,is_like,is_follow,pos_items,neg_items"
    text(top / "KuaiVideo_x1" / "train.csv", rows[: world.train], names)
    text(top / "KuaiVideo_x1" / "test.csv", rows[world.train :], names)
    h5(top / "KuaiVideo_x1" / "item_visual_emb_dim64.h5", world.padded)


def thacil(top: Path, world: World) -> None:
    rows = world.frame(category=5, click=world.clicked * 1, time=world.time)
    names = "user_id,item_id,cate_id,is_click,timestamp"
    text(top / "mv" / "train_data.csv", rows[: world.train], names)
    text(top / "mv" / "test_data.csv", rows[world.train :], names)
    for part in ("train", "test"):
        save(top / "mv" / f"{part}_cover_image_feature.npy", world.vectors["visual"])


def microvideo_x1(top: Path, world: World) -> None:
    rows = world.frame(category=5, click=world.clicked * 1, time=world.time, items="0^2", categories="5^5")
    names = "user_id,item_id,cate_id,is_click,timestamp,clicked_items,clicked_categories"
    root = top / "MicroVideo1.7M_x1"
    text(root / "train.csv", rows[: world.train], names)
    text(root / "test.csv", rows[world.train :], names)
    h5(root / "item_image_emb_dim64.h5", world.vectors["visual"][:, :64])


def kuairand(top: Path, world: World) -> None:
    root = top / "KuaiRand-Pure" / "data"
    flags = "is_like,is_follow,is_comment,is_forward,is_hate"
    times = "play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab"
    names = f"user_id,video_id,date,hourmin,time_ms,is_click,{flags},long_view,{times}"
    rows = world.frame(date=20220408, hour=1900, time=world.time * 1000 + 123, click=world.clicked * 1)
    rows = rows.assign(
        **{f"flag{k}": 0 for k in range(6)}, play=12_000, duration=11_000, **{f"s{k}": 0 for k in "abcde"}
    )
    text(root / "log_standard_4_08_to_4_21_pure.csv", rows[: world.train], names)
    text(root / "log_standard_4_22_to_5_08_pure.csv", rows[world.train : -100], names)
    text(root / "log_random_4_22_to_5_08_pure.csv", rows[-100:], names)
    tags = np.argsort(-world.vectors["textual"], axis=1)[:, :2]
    lines = (f'{video},3,NORMAL,"{a},{b}"\n' for video, (a, b) in enumerate(tags))
    write(root / "video_features_basic_pure.csv", "video_id,author_id,video_type,tag\n" + "".join(lines))


def kuairec(top: Path, world: World) -> None:
    root = top / "KuaiRec 2.0" / "data"
    shown = pd.to_datetime(world.time, unit="s").strftime("%Y-%m-%d %H:%M:%S.438")
    ratio = np.where(world.clicked, 2.5, 0.7214)
    more = {"play": 4381, "duration": 6067, "time": shown, "date": 20200705, "stamp": world.time + 0.438}
    rows = world.frame(**more, ratio=ratio)
    names = "user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio"
    text(root / "big_matrix.csv", rows, names)
    text(root / "small_matrix.csv", rows[:200], names)
    head = "video_id,manual_cover_text,caption,topic_tag,first_level_category_id,first_level_category_name"
    head += ",second_level_category_id,second_level_category_name\n"
    lines = (f'{k},UNKNOWN,"{title}, 猫咪",[],8,宠物,673,萌宠\n' for k, title in enumerate(world.titles))
    write(root / "kuairec_caption_category.csv", head + "".join(lines))


def microlens(top: Path, world: World, size: str) -> None:
    root, stem = top / f"MicroLens-{size}", f"MicroLens-{size}"
    rows = world.frame(clicks=True, first_item=1, time=world.time * 1000 + 106)
    text(root / f"{stem}_pairs.csv", rows.sort_values("user", kind="stable"), "user,item,timestamp")
    write(root / f"{stem}_pairs.tsv", "1\t3 1\n")
    if size == "50k":
        lines = (f'{k},"{title}, again"\n' for k, title in enumerate(world.titles, 1))
        write(root / f"{stem}_titles.csv", "item,title\n" + "".join(lines))
    elif size == "100k":
        write(
            root / f"{stem}_title_en.csv", "".join(f"{k},{title}, again\n" for k, title in enumerate(world.titles, 1))
        )
    features = root / "extracted_modality_features"
    save(features / f"{stem}_image_features_CLIPRN50.npy", world.vectors["visual"])
    save(features / f"{stem}_video_features_VideoMAE.npy", world.vectors["acoustic"])


def mmctr(top: Path, world: World) -> None:
    root, cut = top / "MicroLens_1M_x1", world.train
    seen = [[0, 0, 1]] * len(world.users)
    for part, rows in (("train", slice(0, cut)), ("valid", slice(cut, None))):
        columns = {"user_id": world.users[rows], "item_seq": seen[rows], "item_id": world.items[rows] + 1}
        levels = np.full(len(columns["user_id"]), 3)
        parquet(
            root / f"{part}.parquet", **columns, likes_level=levels, views_level=levels, label=world.clicked[rows] * 1
        )
    parquet(root / "test.parquet", ID=[0], user_id=[4], item_seq=[[2, 1]], item_id=[1])
    values = np.concatenate([np.zeros((1, 128), np.float32), world.vectors["visual"]])
    ids = np.arange(world.count + 1)
    parquet(root / "item_info.parquet", item_id=ids, item_tags=[[0] * 5] * len(ids), item_emb_d128=list(values))


def mmrec(top: Path, world: World) -> None:
    root = top / "baby"
    part = np.where(np.arange(len(world.users)) < world.train, 0, 2)
    rows = world.frame(clicks=True, rating=5.0, time=world.time, label=part)
    text(root / "baby.inter", rows, "userID,itemID,rating,timestamp,x_label", "\t")
    write(root / "missed_img_itemIDs.csv", "1\n")
    save(root / "image_feat.npy", world.vectors["visual"].astype("<f8"))
    save(root / "text_feat.npy", world.vectors["textual"])


def recbole(top: Path, world: World) -> None:
    root, stars = top / "ml-toy", world.stars.astype(float)
    names = "user_id:token,item_id:token,rating:float,timestamp:float"
    text(root / "ml-toy.inter", world.frame(rating=stars, time=world.time), names, "\t")
    rows = zip(world.titles, world.vectors["visual"], strict=True)
    lines = (f"{k}\t{title}\t{' '.join(f'{x:.4f}' for x in vector)}\n" for k, (title, vector) in enumerate(rows))
    write(root / "ml-toy.item", "item_id:token\ttitle:token_seq\tcover:float_seq\n" + "".join(lines))


def fuxictr(top: Path, world: World, kind: str) -> None:
    root, cut = top / f"tiny_{kind}", world.train
    frame = world.frame(label=world.clicked * 1, time=world.time)
    for part, rows in (("train", frame[:cut]), ("valid", frame[cut:-500]), ("test", frame[-500:])):
        if kind == "csv":
            text(root / f"{part}.csv", rows, "user_id,item_id,label,timestamp")
        else:
            names = {"user": "user_id", "item": "item_id", "label": "label", "time": "timestamp"}
            parquet(root / f"{part}.parquet", **{names[str(key)]: values for key, values in rows.items()})
    if kind == "csv":
        h5(root / "image_emb.h5", world.vectors["visual"])
    else:
        parquet(root / "text_emb.parquet", key=np.arange(world.count), value=list(world.vectors["textual"]))


def longctr(top: Path, world: World) -> None:
    root, cut = top / "KuaiVideo_x2", world.train
    order = np.argsort(world.users, kind="stable")
    before = np.empty(len(order), np.int64)
    starts = np.searchsorted(world.users[order], np.arange(world.users.max() + 1))
    before[order] = np.arange(len(order)) - starts[world.users[order]]
    for part, rows in (("train", slice(0, cut)), ("valid", slice(cut, -500)), ("test", slice(-500, None))):
        names = {"user_index": world.users[rows], "item_index": world.items[rows] + 1, "seq_len": before[rows]}
        parquet(root / f"{part}.parquet", **names, is_click=world.clicked[rows] * 1)
    parquet(root / "user_info.parquet", user_index=[0, 1], full_item_seq=[[1, 2, 1], [2, 1, 2]])
    ids, values = np.arange(world.count + 1), np.concatenate([np.zeros((1, 64), np.float32), world.padded[:-1]])
    parquet(root / "item_info.parquet", item_index=ids, item_id=ids, image_emb_dim64=list(values))


def mmgcn(top: Path, world: World) -> None:
    root, rows = top / "movielens", world.frame(clicks=True)
    pairs = np.stack([rows["user"], rows["item"] + world.users.max() + 1], axis=1)
    save(root / "train.npy", pairs.astype("<i8"))
    write(root / "val_full.npy", pickle.dumps([[0, 4]]))
    save(root / "FeatureVideo_normal.npy", world.vectors["visual"])
    save(root / "FeatureAudio_avg_normal.npy", world.vectors["acoustic"])


def lattice(top: Path, world: World) -> None:
    rows = world.frame(clicks=True)
    cut = len(rows) * 8 // 10
    for part, some in (("train", rows[:cut]), ("val", rows[cut:-200]), ("test", rows[-200:])):
        clicks = {str(user): items.tolist() for user, items in some.groupby("user")["item"]}
        write(top / "baby" / "5-core" / f"{part}.json", json.dumps(clicks))
    save(top / "baby" / "image_feat.npy", world.vectors["visual"])
    save(top / "baby" / "text_feat.npy", world.vectors["textual"])


def kuaisar(top: Path, world: World) -> None:
    more = {"playing": 60_792.0, "duration": 45_400.0, "at": "2023-05-22 15:53:20", "time": world.time * 1000.0}
    rows = world.frame(**more, click=world.clicked * 1, **dict.fromkeys("abcde", 0))
    names = (
        "user_id,item_id,playing_time,duration_ms,time,timestamp,click,forward,like,follow,search,search_item_related"
    )
    text(top / "KuaiSAR" / "rec_inter.csv", rows, names)


def tiktok(top: Path, world: World) -> None:
    root, rows = top / "track2", world.frame(finish=world.clicked * 1, time=world.time)
    rows = rows.assign(**dict.fromkeys("abcdefgh", 0))
    order = ["user", "a", "item", "b", "c", "d", "finish", "e", "f", "g", "time", "h"]
    text(root / "final_track2_train.txt", rows[order], ",".join(order), "\t", header=False)
    features = (("video", "video_feature_dim_128", "visual"), ("audio", "audio_feature_128_dim", "acoustic"))
    for file, key, modality in features:
        lines = (json.dumps({"item_id": k, key: v.tolist()}) + "\n" for k, v in enumerate(world.vectors[modality]))
        write(root / f"track2_{file}_features.txt", "".join(lines))
    lines = (
        json.dumps({"item_id": k, "title_features": {str(k % 7): 1, str(k % 11): 2}}) + "\n" for k in range(world.count)
    )
    write(root / "track2_title.txt", "".join(lines))


def cornac(top: Path, world: World) -> None:
    root, rows = top / "clothing", world.frame(rating=world.stars.astype(float), time=world.time)
    text(root / "rating.txt", rows, "u,i,r,t", "\t", header=False)
    save(root / "image_features.npy", world.vectors["visual"])
    write(root / "item_ids.txt", "".join(f"{item}\n" for item in range(world.count)))
    write(root / "text.txt", "".join(f"{item}::{title}\n" for item, title in enumerate(world.titles)))


def table(top: Path, world: World) -> None:
    """Write a log of one's own with a bare matrix beside it."""
    rows = world.frame(time=world.time, clicked=world.clicked * 1)
    text(top / "mine" / "interactions.csv", rows, "user_id,item_id,timestamp,clicked")
    save(top / "mine" / "features" / "visual.npy", world.vectors["visual"])
    write(top / "mine" / "features" / "item_id.csv", "".join(f"{item}\n" for item in range(world.count)))


SCALED: dict[str, Writer] = {
    "movielens-100k": movielens_100k,
    "movielens-1m": lambda top, world: movielens_dat(top, world, "ml-1m", 0.0),
    "movielens-10m": lambda top, world: movielens_dat(top, world, "ml-10M100K", 0.5),
    "movielens-csv": movielens_csv,
    "kuaishou-challenge": kuaishou_challenge,
    "kuaishou-alpine": alpine,
    "kuaivideo-x1": kuaivideo_x1,
    "micro-video": thacil,
    "microvideo1.7m-x1": microvideo_x1,
    "kuairand": kuairand,
    "kuairec": kuairec,
    "microlens-50k": lambda top, world: microlens(top, world, "50k"),
    "microlens-100k": lambda top, world: microlens(top, world, "100k"),
    "microlens-1m": lambda top, world: microlens(top, world, "1M"),
    "microlens-mmctr": mmctr,
    "mmrec": mmrec,
    "recbole": recbole,
    "fuxictr-csv": lambda top, world: fuxictr(top, world, "csv"),
    "fuxictr-parquet": lambda top, world: fuxictr(top, world, "parquet"),
    "longctr": longctr,
    "mmgcn": mmgcn,
    "lattice": lattice,
    "kuaisar": kuaisar,
    "tiktok": tiktok,
    "cornac": cornac,
    "table": table,
}
