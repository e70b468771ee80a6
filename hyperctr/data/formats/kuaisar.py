"""KuaiSAR: what was recommended on Kuaishou and clicked or not. It has no vectors; its searches are left out."""

from __future__ import annotations

from hyperctr.data.formats.format import Format, Log

FORMATS = (
    Format(
        name="kuaisar",
        about="KuaiSAR: rec_inter.csv",
        licence="KuaiSAR (Sun et al. 2023, https://kuaisar.github.io): CC BY-NC-SA 4.0.",
        get="Get KuaiSAR from https://zenodo.org/records/8181109 and unpack it.",
        log=Log(
            files=("rec_inter.csv",),
            columns={
                "user_id": "integer",
                "item_id": "integer",
                "timestamp": "number",
                "click": "flag",
                "like": "flag",
                "follow": "flag",
                "forward": "flag",
                "playing_time": "number",
                "duration_ms": "number",
            },
            user="user_id",
            item="item_id",
            time='CAST(floor("timestamp" / 1000) AS BIGINT)',  # milliseconds, as a float
            click="click",
            non_clicks="recommended and not clicked",
        ),
        remark="the time is when items were sent to a user, several at once; there are no vectors, and searches "
        "(src_inter.csv) were left out",
    ),
)
