"""Small releases of public data sets, written byte by byte after their published layouts; all rows are invented."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATED = [(1, 7, 5, 978300760), (1, 12, 3, 978302109), (2, 7, 4, 978301968), (2, 9, 1, 978300275), (3, 12, 4, 978824291)]


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


def vectors(rows: int, dim: int, dtype: str = "<f4") -> npt.NDArray[np.float32]:
    """Row r holds r + 0, r + 0.125, ..."""
    return (np.arange(rows)[:, None] + np.arange(dim)[None] / 8).astype(dtype)


def save(path: Path, values: npt.NDArray[np.float32]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:  # numpy.save adds an extension
        np.save(file, values)
    return path


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


def mmtf_original(top: Path) -> None:
    visual = top / "MMTF" / "Visual" / "Aesthetic features" / "Avg" / "AestheticFeatures - AVG - All.csv"
    write(visual, "movieId,A1,A2\n12,0.5,inf\n7,1.5,-2\n4000,1,1\n")
    acoustic = top / "MMTF" / "Audio" / "ivector features"
    write(acoustic / "IVec_splitItem_fold_1_gmm_16_tvDim_10.csv", "movieId,ivec1,ivec2\n7,0.25,1e-3\n9,3,4\n")
    write(acoustic / "IVec_splitItem_fold_1_gmm_64_tvDim_10.csv", "movieId,ivec1,ivec2\n7,9,9\n9,9,9\n")


def mmtf_reissued(top: Path) -> None:
    rows = '7,A,Drama,"0.5,1.5,2"\n12,B,War,"1,inf,3"\n'
    write(top / "fused" / "fused_llm_mmtf_avf_avg.csv", f"itemId,title,genres,embedding\n{rows}")


def m3l(top: Path) -> None:
    for kind, encoder, dim in (("1_text_feat", "minilm", 3), ("2_image_feat", "vit", 2)):
        for item in (7, 12):
            content = json.dumps({str(item): [item + k / 8 for k in range(dim)]})
            write(top / "features_json_format" / kind / encoder / f"{item}.json", content)


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


def h5(path: Path, values: npt.NDArray[np.float32]) -> None:
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["key"], file["value"] = np.arange(len(values)), values


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
}
