from hyperctr.paper.figures.figure7_scaling import figure7 as figure7
from hyperctr.paper.figures.figure8_curves import figure8 as figure8
from hyperctr.paper.figures.figures4to6_settings import figure4 as figure4
from hyperctr.paper.figures.figures4to6_settings import figure5 as figure5
from hyperctr.paper.figures.figures4to6_settings import figure6 as figure6
from hyperctr.paper.figures.forests import ablation as ablation
from hyperctr.paper.figures.forests import overall as overall
from hyperctr.paper.figures.protocols import protocols as protocols
from hyperctr.paper.figures.reliability import reliability as reliability
from hyperctr.paper.tables.claims import claim_reasons as claim_reasons
from hyperctr.paper.tables.claims import claims as claims
from hyperctr.paper.tables.costs import costs as costs
from hyperctr.paper.tables.table3_overall import table3 as table3
from hyperctr.paper.tables.table4_modalities import table4 as table4
from hyperctr.paper.tables.tables1and2 import table1 as table1
from hyperctr.paper.tables.tables1and2 import table2 as table2
from hyperctr.paper.tables.your_model import your_model as your_model

__all__: list[str]
