"""Published collections that sources come from: under which terms, and how their publishers ask to be cited.

Readers name a collection (``Identity.dataset``); what else is known of it is recorded with the ingest from here. The
Allen Institute's products have no DOI of their own: it is that of the paper which describes them, as its citation
policy (alleninstitute.org/legal/citation-policy) asks for beside the name of the product and its address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

ALLEN_TERMS = "Allen Institute Terms of Use (https://alleninstitute.org/terms-of-use/)"


@dataclass(frozen=True)
class Entry:
    """Something to be cited, as an entry of BibTeX. ``facts`` are its fields, in order."""

    kind: str
    key: str
    facts: Mapping[str, str]

    @property
    def bibtex(self) -> str:
        lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in self.facts.items())
        return f"@{self.kind}{{{self.key},\n{lines}\n}}"


@dataclass(frozen=True)
class Dataset:
    """A published collection: its papers are entries of BibTeX, and so is the collection itself."""

    name: str
    licence: str
    entries: tuple[Entry, ...]
    doi: str | None = field(default=None)

    @property
    def citation(self) -> str:
        """Entries of BibTeX, an empty line between them."""
        return "\n\n".join(entry.bibtex for entry in self.entries)


def _paper(key: str, author: str, title: str, journal: str, volume: str, pages: str, year: str, doi: str) -> Entry:
    facts = {
        "author": author, "title": f"{{{title}}}", "journal": journal, "volume": volume, "pages": pages, "year": year,
        "doi": doi,
    }  # fmt: skip
    return Entry("article", key, facts)


def _product(key: str, name: str, year: str, url: str) -> Entry:
    facts = {
        "author": "{Allen Institute for Brain Science}", "title": f"{{{name}}}", "year": year,
        "howpublished": f"\\url{{{url}}}", "note": "Data set",
    }  # fmt: skip
    return Entry("misc", key, facts)


SIEGLE_2021 = _paper(
    "siegle2021survey", "Siegle, Joshua H. and Jia, Xiaoxuan and Durand, S{\\'e}verine and others",
    "Survey of spiking in the mouse visual system reveals functional hierarchy",
    "Nature", "592", "86--92", "2021", "10.1038/s41586-020-03171-x",
)  # fmt: skip
GOUWENS_2019 = _paper(
    "gouwens2019classification", "Gouwens, Nathan W. and Sorensen, Staci A. and Berg, Jim and others",
    "Classification of electrophysiological and morphological neuron types in the mouse visual cortex",
    "Nature Neuroscience", "22", "1182--1195", "2019", "10.1038/s41593-019-0417-0",
)  # fmt: skip
TEETER_2018 = _paper(
    "teeter2018generalized", "Teeter, Corinne and Iyer, Ramakrishnan and Menon, Vilas and others",
    "Generalized leaky integrate-and-fire models classify multiple neuron types",
    "Nature Communications", "9", "709", "2018", "10.1038/s41467-017-02717-4",
)  # fmt: skip
GOUWENS_2018 = _paper(
    "gouwens2018systematic", "Gouwens, Nathan W. and Berg, Jim and Feng, David and others",
    "Systematic generation of biophysically detailed models for diverse cortical neuron types",
    "Nature Communications", "9", "710", "2018", "10.1038/s41467-017-02718-3",
)  # fmt: skip
OH_2014 = _paper(
    "oh2014mesoscale", "Oh, Seung Wook and Harris, Julie A. and Ng, Lydia and others",
    "A mesoscale connectome of the mouse brain", "Nature", "508", "207--214", "2014", "10.1038/nature13186",
)  # fmt: skip
WANG_2020 = _paper(
    "wang2020ccf", "Wang, Quanxin and Ding, Song-Lin and Li, Yang and others",
    "The Allen Mouse Brain Common Coordinate Framework: A 3D Reference Atlas",
    "Cell", "181", "936--953.e20", "2020", "10.1016/j.cell.2020.04.007",
)  # fmt: skip
LEIN_2007 = _paper(
    "lein2007genome", "Lein, Ed S. and Hawrylycz, Michael J. and Ao, Nancy and others",
    "Genome-wide atlas of gene expression in the adult mouse brain",
    "Nature", "445", "168--176", "2007", "10.1038/nature05453",
)  # fmt: skip
DE_VRIES_2020 = _paper(
    "devries2020survey", "de Vries, Saskia E. J. and Lecoq, Jerome A. and Buice, Michael A. and others",
    "A large-scale standardized physiological survey reveals functional organization of the mouse visual cortex",
    "Nature Neuroscience", "23", "138--151", "2020", "10.1038/s41593-019-0550-9",
)  # fmt: skip

NEUROPIXELS = _product(
    "allen_neuropixels", "Allen Brain Observatory: Visual Coding Neuropixels", "2019",
    "https://portal.brain-map.org/explore/circuits/visual-coding-neuropixels",
)  # fmt: skip
CELL_TYPES = _product(
    "allen_cell_types", "Allen Cell Types Database", "2015", "https://celltypes.brain-map.org"
)  # fmt: skip
CONNECTIVITY = _product(
    "allen_connectivity", "Allen Mouse Brain Connectivity Atlas", "2011", "https://connectivity.brain-map.org"
)  # fmt: skip
MOUSE_BRAIN = _product("allen_mouse_brain", "Allen Mouse Brain Atlas", "2004", "https://mouse.brain-map.org")
ATLAS = _product("allen_reference_atlas", "Allen Reference Atlas", "2011", "https://atlas.brain-map.org")
API = _product("allen_atlas_api", "Allen Brain Atlas API", "2011", "https://api.brain-map.org")
VISUAL_CODING_2P = _product(
    "allen_visual_coding_2p", "Allen Brain Observatory: Visual Coding 2-photon", "2016",
    "https://observatory.brain-map.org/visualcoding",
)  # fmt: skip

_ALL = (
    Dataset(
        "Allen Brain Observatory: Visual Coding Neuropixels",
        ALLEN_TERMS,
        (SIEGLE_2021, NEUROPIXELS),
        SIEGLE_2021.facts["doi"],
    ),
    Dataset(
        "Allen Brain Observatory: Visual Coding 2-photon",
        ALLEN_TERMS,
        (DE_VRIES_2020, VISUAL_CODING_2P),
        DE_VRIES_2020.facts["doi"],
    ),
    Dataset("Allen Cell Types Database", ALLEN_TERMS, (GOUWENS_2019, CELL_TYPES), GOUWENS_2019.facts["doi"]),
    Dataset("GLIF models of Teeter et al. 2018", ALLEN_TERMS, (TEETER_2018, CELL_TYPES), TEETER_2018.facts["doi"]),
    Dataset(
        "Biophysical models of Gouwens et al. 2018",
        ALLEN_TERMS,
        (GOUWENS_2018, CELL_TYPES),
        GOUWENS_2018.facts["doi"],
    ),
    Dataset("Allen Mouse Brain Connectivity Atlas", ALLEN_TERMS, (OH_2014, CONNECTIVITY), OH_2014.facts["doi"]),
    Dataset(
        "Allen Mouse Brain Common Coordinate Framework",
        ALLEN_TERMS,
        (WANG_2020, ATLAS),
        WANG_2020.facts["doi"],
    ),
    Dataset("Allen Brain Atlas structure ontology", ALLEN_TERMS, (WANG_2020, ATLAS), WANG_2020.facts["doi"]),
    Dataset("Allen Mouse Brain Atlas", ALLEN_TERMS, (LEIN_2007, MOUSE_BRAIN), LEIN_2007.facts["doi"]),
    Dataset("Allen Brain Atlas API", ALLEN_TERMS, (API,)),
)
DATASETS: Mapping[str, Dataset] = {dataset.name: dataset for dataset in _ALL}


def named(dataset: str | None, version: str | None, doi: str | None) -> Entry:
    """The entry of a collection of which a name or a DOI is all that is known."""
    facts = {"title": f"{{{escaped(dataset)}}}" if dataset else None, "version": version, "doi": doi}
    return Entry("misc", _key(dataset or doi or ""), {name: value for name, value in facts.items() if value})


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "source"


def software(version: str) -> Entry:
    """The entry of brainlake itself."""
    facts = {"title": f"{{brainlake {version}: SQL over a local lakehouse of brain data}}", "note": "Computer software"}
    return Entry("software", "brainlake", {"author": "{brainlake contributors}", **facts, "version": version})


def entries(citations: Iterable[str | None]) -> list[str]:
    """Entries of BibTeX in texts that hold several, each once, in order; a key used for two things is numbered."""
    found: dict[str, str] = {}
    for text in citations:
        for entry in split(text or ""):
            key, n = key_of(entry), 1
            name = key
            while name in found and found[name].replace(name, key, 1) != entry:
                n += 1
                name = f"{key}_{n}"
            found.setdefault(name, entry.replace(key, name, 1))
    return list(found.values())


def split(text: str) -> list[str]:
    """The entries of a text of BibTeX: each from its @ to the brace that closes it."""
    found: list[str] = []
    start, depth = -1, 0
    for i, char in enumerate(text):
        if char == "@" and depth == 0:
            start = i
        elif char == "{" and start >= 0:
            depth += 1
        elif char == "}" and start >= 0:
            depth -= 1
            if depth == 0:
                found.append(text[start : i + 1])
                start = -1
    return found


def key_of(entry: str) -> str:
    """What an entry is cited by."""
    return entry.partition("{")[2].partition(",")[0].strip()


def escaped(text: str) -> str:
    """A text that BibTeX reads as itself."""
    return "".join(f"\\{char}" if char in "&%$#_" else char for char in text.replace("{", "(").replace("}", ")"))
