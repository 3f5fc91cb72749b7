"""What is recorded with an ingest of the collection that its source is of, and how that asks to be cited."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from ..ingest.contract import Identity, Published
from .datasets import DATASETS, Entry, entries, escaped, named, split
from .errors import BrainlakeError

_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>{}]+")


@dataclass(frozen=True)
class Told:
    """What people say of the collection that their sources are of: it counts before what else is known."""

    dataset: str | None = None
    version: str | None = None
    doi: str | None = None
    licence: str | None = None
    citation: str | None = None  # BibTeX

    def __post_init__(self) -> None:
        if self.citation is not None and not split(self.citation):
            raise BrainlakeError("the citation holds no entry of BibTeX, as @article{key, title = {...}, ...}")

    @classmethod
    def of(cls, facts: Mapping[str, str]) -> Told:
        """From a mapping of the names above. Raises BrainlakeError for another name."""
        names = [one.name for one in fields(cls)]
        if unknown := [name for name in facts if name not in names]:
            raise BrainlakeError(f"a collection has no {unknown[0]!r}: it has {', '.join(names)}")
        return cls(**facts)

    @property
    def facts(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value}


def recorded(identity: Identity, published: Published | None, told: Told) -> dict[str, str | None]:
    """Dataset, version, DOI, licence and citation of a source: what people say, else its archive, else itself, else
    what is known of its collection. The citation gathers the entries of all of them.
    """
    known = DATASETS.get(told.dataset or identity.dataset or "")
    archive = published or Published("", "")
    texts = [told.citation]
    if not told.citation and (told.doi or (told.dataset and not known)):
        texts.append(named(told.dataset, told.version, told.doi).bibtex)
    texts.append(_deposit(published).bibtex if published else None)
    texts += [_publication(text).bibtex for text in identity.publications]
    texts.append(known.citation if known else None)
    return {
        "dataset": told.dataset or identity.dataset or archive.title or None,
        "version": told.version or archive.version or identity.version,
        "doi": told.doi or archive.doi or identity.doi or (known.doi if known else None),
        "licence": told.licence or archive.licence or identity.licence or (known.licence if known else None),
        "citation": "\n\n".join(entries(texts)) or None,
    }


def _deposit(published: Published) -> Entry:
    facts = {
        "author": " and ".join(published.authors), "title": f"{{{escaped(published.title)}}}", "year": published.year,
        "version": published.version, "publisher": published.publisher, "doi": published.doi, "url": published.url,
    }  # fmt: skip
    return Entry("misc", published.key, {name: value for name, value in facts.items() if value})


def _publication(text: str) -> Entry:
    """The entry of a paper as a file names it: its DOI where the text holds one, and the text."""
    doi = _DOI.search(text)
    facts = {"doi": doi[0].rstrip(".,;)")} if doi else {}
    if not doi or doi[0] != text.removeprefix("doi:").strip():
        facts["note"] = escaped(text)
    return Entry("misc", f"publication_{hashlib.sha256(text.encode()).hexdigest()[:8]}", facts)
