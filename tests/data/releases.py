"""Small releases of public data sets, written byte by byte after their published layouts; all rows are invented."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.data.writers import h5, parquet, save, vectors, write

RATED = [(1, 7, 5, 978300760), (1, 12, 3, 978302109), (2, 7, 4, 978301968), (2, 9, 1, 978300275), (3, 12, 4, 978824291)]


def movielens_100k(top: Path) -> None:
    root = top / "ml-100k"
    write(root / "u.data", "".join(f"{u}\t{i}\t{r}\t{t}\n" for u, i, r, t in RATED))
    both = "0|" * 8 + "1|" + "0|" * 8 + "1|0"  # Drama and War
    movies = f"7|Café Noir (1995)|01-Jan-1995||http://x|{both}\n9|unknown||||1{'|0' * 18}\n12|War (1996)|||y|{both}\n"
    write(root / "u.item", movies, "latin-1")
    write(root / "u.genre", "unknown|0\nAction|1\n\n")


def movielens_1m(top: Path) -> None:
    root = top / "ml-1m"
    write(root / "ratings.dat", "".join(f"{u}::{i}::{r}::{t}\n" for u, i, r, t in RATED))
    write(root / "movies.dat", MOVIES, "latin-1")
    write(root / "users.dat", "1::F::1::10::48067\n2::M::56::16::70072\n3::M::25::15::55117\n")


def movielens_10m(top: Path) -> None:
    root = top / "ml-10M100K"
    write(root / "ratings.dat", "".join(f"{u}::{i}::{r - 0.5}::{t}\n" for u, i, r, t in RATED))
    write(root / "movies.dat", MOVIES)
    write(root / "tags.dat", "1::7::black & white::1215184630\n4::12::war war::1215184631\n")


MOVIES = "7::Café Noir (1995)::Drama|War\n9::Nought, a (Story): 2::(no genres listed)\n12::War (1996)::War|Drama\n"


def movielens_csv(top: Path) -> None:
    root = top / "ml-25m"
    rows = "".join(f"{u},{i},{r - 0.5},{t}\n" for u, i, r, t in RATED)
    write(root / "ratings.csv", f"userId,movieId,rating,timestamp\n{rows}")
    movies = '7,Café Noir (1995),Drama|War\n9,"Nought, a ""Story""",(no genres listed)\n12,War (1996),War|Drama\n'
    write(root / "movies.csv", f"movieId,title,genres\n{movies}")
    write(root / "tags.csv", 'userId,movieId,tag,timestamp\n1,7,"black, white",1215184630\n')
    write(root / "links.csv", "movieId,imdbId,tmdbId\n7,0114709,862\n")


def kuaishou_challenge(top: Path) -> None:
    log = "5\t30\t0\t0\t0\t761036604603\t0\t11\n5\t31\t1\t0\t0\t761036604700\t11\t10\n"
    log += "6\t30\t1\t1\t0\t760995159683\t4\t0\n6\t32\t0\t0\t0\t761036604700\t0\t7\n"
    write(top / "train" / "train_interaction.txt", log)
    write(top / "test" / "test_interaction.txt", "7\t90\t761158905921\t17\n")
    for photo in (30, 32, 99):
        save(top / "train" / "final_visual_train" / str(photo), np.full((1, 4), photo, "<f4"))
    write(top / "train" / "train_face.txt", "30\t[[0.25,1,20,60.5],[0.5,0,40,39.5]]\n31\t0\n32\t[[0.125,1,33,50]]\n")
    write(top / "train" / "train_text.txt", "30\t4,7,4\n31\t7,9\n32\t0\n")


def alpine(top: Path, protocol: int = 3) -> None:
    train = [((0, 2, 1, 0, 0, 500), 0, 0), ((1, 0, 0, 0, 0, 501), 0, 0), ((0, 1, 0, 0, 0, 700), 1, 0)]
    test = [((1, 2, 1, 1, 1, 900), 0, 1)]
    content = b"".join(
        pickle.dumps(part, protocol) for part in (train, test, [[2], []], [[], [0]], [[0], []], [[], [0]])
    )
    write(top / "alpine" / "dataset.pkl", content)
    save(top / "alpine" / "visual64_select.npy", vectors(4, 64))


def kuaivideo_x1(top: Path) -> None:
    head = "timestamp,user_id,item_id,is_click,is_like,is_follow,pos_items,neg_items\n"
    write(top / "KuaiVideo_x1" / "train.csv", f"{head}500,0,2,1,0,0,,\n501,1,0,0,0,0,,\n700,0,1,0,0,0,2,\n")
    write(top / "KuaiVideo_x1" / "test.csv", f"{head}900,1,2,1,1,1,,0^2\n")
    h5(top / "KuaiVideo_x1" / "item_visual_emb_dim64.h5", vectors(4, 64))


def thacil(top: Path) -> None:
    head = "user_id,item_id,cate_id,is_click,timestamp\n"
    write(top / "mv" / "train_data.csv", f"{head}0,0,5,1,100\n0,1,511,0,101\n1,2,5,1,102\n")
    write(top / "mv" / "test_data.csv", f"{head}0,0,5,0,200\n1,1,7,1,201\n")
    save(top / "mv" / "train_cover_image_feature.npy", vectors(3, 4))
    save(top / "mv" / "test_cover_image_feature.npy", 10 + vectors(2, 4))


def microvideo_x1(top: Path) -> None:
    head = "user_id,item_id,cate_id,is_click,timestamp,clicked_items,clicked_categories\n"
    write(top / "MicroVideo1.7M_x1" / "train.csv", f"{head}0,0,5,1,100,,\n10,1,511,0,101,0^2,5^5\n2,2,5,1,102,,\n")
    write(top / "MicroVideo1.7M_x1" / "test.csv", f"{head}0,4,5,0,200,0,5\n")
    h5(top / "MicroVideo1.7M_x1" / "item_image_emb_dim64.h5", vectors(5, 64))


def kuairand(top: Path) -> None:
    root = top / "KuaiRand-Pure" / "data"
    head = (
        "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,"
        "play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab\n"
    )
    early = "0,7425,20220408,1900,1649416612123,1,0,0,0,0,0,1,12000,11000,0,0,0,0,1\n"
    early += "5,90,20220408,1900,1649416613999,0,0,0,0,0,0,0,0,9000,0,0,0,0,0\n"
    late = "0,90,20220423,100,1650650400000,1,1,0,0,0,0,0,5000,9000,0,0,0,0,1\n"
    drawn = "5,11,20220422,2300,1650639600500,0,0,0,0,0,1,0,0,3000,0,0,0,1,1\n"
    write(root / "log_standard_4_08_to_4_21_pure.csv", head + early)
    write(root / "log_standard_4_22_to_5_08_pure.csv", head + late)
    write(root / "log_random_4_22_to_5_08_pure.csv", head + drawn)
    videos = '7425,3,NORMAL,"12,65"\n11,4,AD,\n90,3,NORMAL,65\n8,3,NORMAL,1\n'
    write(root / "video_features_basic_pure.csv", f"video_id,author_id,video_type,tag\n{videos}")


def kuairec(top: Path) -> None:
    root = top / "KuaiRec 2.0" / "data"
    head = "user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio\n"
    rows = "0,3649,13838,10867,2020-07-05 00:08:23.438,20200705,1593878903.438,1.2733965\n"
    rows += "14,9598,13665,10984,2020-07-05 00:13:41.297,20200705,1593879221.297,2.5\n"
    rows += "14,5262,851,7908,2020-07-05 00:16:06.687,20200705,1593879366.687,0.107612\n"
    write(root / "big_matrix.csv", head + rows)
    small = "14,148,4381,6067,2020-07-05 05:27:48.378,20200705,1593898068.378,0.72210\n14,3649,0,10867,,,,0.0\n"
    write(root / "small_matrix.csv", head + small + "19,183,11635,6100,2020-07-05 05:28:00,20200705,1593898080,2\n")
    texts = '9598,猫咪,"猫咪, and you",[],8,宠物,-124,UNKNOWN\n3649,UNKNOWN,猫,[猫],8,宠物,673,萌宠\n'
    texts += "5262,UNKNOWN,,[],-124,UNKNOWN,-124,UNKNOWN\n"
    names = "manual_cover_text,caption,topic_tag,first_level_category_id,first_level_category_name"
    write(
        root / "kuairec_caption_category.csv",
        f"video_id,{names},second_level_category_id,second_level_category_name\n{texts}",
    )


def microlens(top: Path) -> None:
    root = top / "MicroLens-50k"
    pairs = "1,3,1675290706106\n1,1,1686082381403\n2,5,1686082380999\n"
    write(root / "MicroLens-50k_pairs.csv", f"user,item,timestamp\n{pairs}")
    write(root / "MicroLens-50k_pairs.tsv", "1\t3 1\n2\t5\n")
    write(root / "MicroLens-50k_titles.csv", 'item,title\n1,"Tide, rising"\n5,"Say ""tide"""\n')
    features = root / "extracted_modality_features"
    save(features / "MicroLens-50k_image_features_CLIPRN50.npy", vectors(5, 3))
    save(features / "MicroLens-50k_video_features_VideoMAE.npy", 10 + vectors(5, 2))


def microlens_100k(top: Path) -> None:
    root = top / "MicroLens-100k"
    write(root / "MicroLens-100k_pairs.csv", "user,item,timestamp\n7,2,1675290706106\n7,1,1675290806106\n")
    write(root / "MicroLens-100k_title_en.csv", "1,Tide, slowly rising\n2,High tide\n")
    save(root / "MicroLens-100k_title_en_text_features_BgeM3.npy", vectors(2, 4))


def microlens_1m(top: Path) -> None:
    root = top / "MicroLens-1M"
    write(root / "MicroLens-1M_pairs.csv", "user,item,timestamp\n7,2,1675290706106\n7,1,1675290806106\n")
    save(root / "MicroLens-1M_image_features_CLIPRN50.npy", vectors(2, 4))


def mmctr(top: Path) -> None:
    root = top / "MicroLens_1M_x1"
    for part, users, items, labels in (("train", [4, 9, 4], [2, 1, 3], [1, 0, 0]), ("valid", [9], [3], [1])):
        levels = [3] * len(users)
        history = [[0, 1]] * len(users)
        columns = {"user_id": users, "item_seq": history, "item_id": items, "label": labels}
        parquet(root / f"{part}.parquet", **columns, likes_level=levels, views_level=levels)
    parquet(root / "test.parquet", ID=[0], user_id=[4], item_seq=[[2, 1]], item_id=[1])
    values = vectors(4, 128).tolist()
    parquet(root / "item_info.parquet", item_id=[0, 1, 2, 3], item_tags=[[0] * 5] * 4, item_emb_d128=values)


def mmrec(top: Path) -> None:
    root = top / "baby"
    rows = "0\t2\t5.0\t1377884800\t0\n0\t1\t2.0\t1391708800\t1\n1\t0\t4.0\t1391708801\t2\n"
    write(root / "baby.inter", f"userID\titemID\trating\ttimestamp\tx_label\n{rows}")
    write(root / "i_id_mapping.csv", "asin\titemID\nB0001\t0\n")
    write(root / "missed_img_itemIDs.csv", "1\n")
    save(root / "image_feat.npy", vectors(3, 4, "<f8"))
    save(root / "text_feat.npy", vectors(3, 2))


def recbole(top: Path) -> None:
    root = top / "ml-toy"
    head = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    write(root / "ml-toy.inter", f"{head}196\t242\t3\t881250949\n186\t302\t4.5\t8.81250950e8\n22\t377\t1\t878887116\n")
    items = "242\tKolya cat\t1996\t0.5 1\n302\tThe cat\t1997\t2 -1\n377\tHeavy\t\t\n"
    write(root / "ml-toy.item", f"item_id:token\ttitle:token_seq\tyear:token\tcover:float_seq\n{items}")


def fuxictr_csv(top: Path) -> None:
    root = top / "tiny"
    write(root / "train.csv", "user_id,item_id,label,timestamp\na,x,1,5\nb,y,0,6\n")
    write(root / "valid.csv", "item_id,user_id,label,timestamp\nz,a,1,7\n")
    write(root / "test.csv", "user_id,item_id\na,y\n")
    root.mkdir(exist_ok=True)
    with open(root / "image_emb.npz", "wb") as file:
        np.savez(file, key=np.array(["x", "y", "z"]), value=vectors(3, 2))


def fuxictr_parquet(top: Path) -> None:
    root = top / "tiny_parquet"
    parquet(root / "train.parquet", user_id=[3, 3], item_id=[10, 12], label=[1, 0])
    parquet(root / "test.parquet", user_id=[4], item_id=[12], label=[1])
    parquet(root / "text_emb.parquet", key=[12, 11, 10], value=vectors(3, 2).tolist())


def longctr(top: Path) -> None:
    root = top / "KuaiVideo_x2"
    for part, clicks, length in (("train", [1, 0], [3, 4]), ("valid", [1, 0], [5, 5]), ("test", [0, 1], [6, 7])):
        parquet(root / f"{part}.parquet", user_index=[0, 1], item_index=[1, 2], seq_len=length, is_click=clicks)
    parquet(root / "user_info.parquet", user_index=[0, 1], full_item_seq=[[1, 2, 1], [2, 1, 2]])
    parquet(
        root / "item_info.parquet", item_index=[0, 1, 2], item_id=[0, 7, 8], image_emb_dim64=vectors(3, 64).tolist()
    )


def mmgcn(top: Path) -> None:
    root = top / "movielens"
    save(root / "train.npy", np.array([[0, 3], [2, 5], [1, 3]], "<i8"))  # type: ignore[arg-type]
    write(root / "val_full.npy", pickle.dumps([[0, 4]]))
    save(root / "FeatureVideo_normal.npy", vectors(3, 4))
    save(root / "FeatureAudio_avg_normal.npy", vectors(3, 2))


def lattice(top: Path) -> None:
    for part, clicks in (("train", {"0": [1, 2], "3": [0]}), ("val", {"0": [0]}), ("test", {"3": [2]})):
        write(top / "baby" / "5-core" / f"{part}.json", json.dumps(clicks))
    save(top / "baby" / "image_feat.npy", vectors(3, 4))
    save(top / "baby" / "text_feat.npy", vectors(3, 2))


def kuaisar(top: Path) -> None:
    root = top / "KuaiSAR"
    head = (
        "user_id,item_id,playing_time,duration_ms,time,timestamp,click,forward,like,follow,search,search_item_related\n"
    )
    rows = "1,7,60792.0,45400.0,2023-05-22 15:53:20,1684742000300.0,1,0,0,0,0,0\n"
    rows += "1,9,0.0,9000.0,2023-05-22 15:53:20,1.684742e+12,0,0,0,0,1,1\n"
    write(root / "rec_inter.csv", head + rows + "4,7,5.0,45400.0,2023-05-23 00:00:00,1684771200000.0,1,1,1,0,0,0\n")
    write(root / "src_inter.csv", "user_id,session_id,search_session_timestamp\n1,2,1684742000000\n")


def tiktok(top: Path) -> None:
    root = top / "track2"
    row = "{}\t31\t{}\t5\t-1\t0\t{}\t0\t-1\t99\t{}\t10\n"
    rows = ((8, 40, 1, 53_086_500_000), (8, 41, 0, 53_086_500_009), (9, 40, 1, 53_086_500_005))
    write(root / "final_track2_train.txt", "".join(row.format(*values) for values in rows))
    videos = ((41, [1.5, 2.5]), (40, [0.5, -1]), (77, [0, 0]))
    lines = (json.dumps({"item_id": item, "video_feature_dim_128": vector}) + "\n" for item, vector in videos)
    write(root / "track2_video_features.txt", "".join(lines))
    write(root / "track2_audio_features.txt", '{"item_id": 40, "audio_feature_128_dim": []}\n')
    titles = '{"item_id": 40, "title_features": {"2": 1, "37": 2}}\n{"item_id": 41, "title_features": {"2": 1}}\n'
    write(root / "track2_title.txt", titles)


def cornac(top: Path) -> None:
    root = top / "clothing"
    write(root / "rating.txt", "u1\t7\t5.0\t1377884800\nu1\t12\t3.0\t1391708800\nu2\t9\t4\t1391708801\n")
    save(root / "image_features.npy", vectors(3, 4))
    write(root / "item_ids.txt", "12\n7\n9\n")
    write(root / "text.txt", "7::a red shirt\n9::a blue :: shirt\n")


RELEASES: dict[str, Callable[[Path], None]] = {
    "movielens-100k": movielens_100k,
    "movielens-1m": movielens_1m,
    "movielens-10m": movielens_10m,
    "movielens-csv": movielens_csv,
    "kuaishou-challenge": kuaishou_challenge,
    "kuaishou-alpine": alpine,
    "kuaivideo-x1": kuaivideo_x1,
    "micro-video": thacil,
    "microvideo1.7m-x1": microvideo_x1,
    "kuairand": kuairand,
    "kuairec": kuairec,
    "microlens-50k": microlens,
    "microlens-100k": microlens_100k,
    "microlens-1m": microlens_1m,
    "microlens-mmctr": mmctr,
    "mmrec": mmrec,
    "recbole": recbole,
    "fuxictr-csv": fuxictr_csv,
    "fuxictr-parquet": fuxictr_parquet,
    "longctr": longctr,
    "mmgcn": mmgcn,
    "lattice": lattice,
    "kuaisar": kuaisar,
    "tiktok": tiktok,
    "cornac": cornac,
}
