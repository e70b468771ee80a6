"""Features of the trailers of MovieLens films as they are released, for the small releases of MovieLens."""

from __future__ import annotations

import json
from pathlib import Path

from tests.data.writers import write


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
