"""Run by the Allen SDK's Python: its reference space over a tree and an annotation in files.

Arguments: structures.json annotation.nrrd asked.json folder. Writes told.json and told.npz into the folder.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import nrrd
import numpy as np
from allensdk.core.reference_space import ReferenceSpace
from allensdk.core.structure_tree import StructureTree


def of_tree(tree, asked):
    ids = asked["ids"]
    return {
        "ancestors": tree.ancestor_ids(ids),
        "descendants": tree.descendant_ids(ids),
        "children": tree.child_ids(ids),
        "parents": tree.parent_ids(ids),
        "by_acronym": [one["id"] for one in tree.get_structures_by_acronym(asked["acronyms"])],
        "by_name": [one["id"] for one in tree.get_structures_by_name(asked["names"])],
        "by_set": sorted(one["id"] for one in tree.get_structures_by_set_id(asked["sets"])),
        "by_id": [one and one["id"] for one in tree.get_structures_by_id([*ids, -1])],
        "sets": sorted(tree.get_structure_sets()),
        "acronyms": tree.get_id_acronym_map(),
        "names": tree.get_name_map(),
        "colours": {id_: list(map(int, rgb)) for id_, rgb in tree.get_colormap().items()},
        "all_ancestors": tree.get_ancestor_id_map(),
        "overlaps": [sorted(map(int, tree.has_overlaps(one))) for one in asked["lists"]],
        "descents": [tree.structure_descends_from(a, b) for a in ids for b in ids],
        "labels": tree.export_label_description().astype(object).values.tolist(),
    }


def main(tree_path, annotation_path, asked_path, folder):
    warnings.simplefilter("ignore")
    asked = json.loads(Path(asked_path).read_text())
    tree = StructureTree(StructureTree.clean_structures(json.loads(Path(tree_path).read_text())))
    annotation, _ = nrrd.read(annotation_path)
    edge = asked["edge_um"]
    space = ReferenceSpace(tree, annotation, [edge] * 3)
    told = {
        **of_tree(tree, asked),
        "direct": {int(k): int(v) for k, v in space.direct_voxel_map.items()},
        "total": {int(k): int(v) for k, v in space.total_voxel_map.items()},
        "assigned": [one["id"] for one in space.remove_unassigned(update_self=False)],
    }
    arrays = {}
    for n, one in enumerate(asked["lists"]):
        arrays[f"mask_{n}"] = space.make_structure_mask(one)
        arrays[f"direct_mask_{n}"] = space.make_structure_mask(one, direct_only=True)
    domain = space.make_structure_mask(asked["domain"]).astype(np.int8)
    for n, one in enumerate(asked["lists"]):
        arrays[f"coverage_{n}"] = space.check_coverage(one, domain)
    for n, (axis, position) in enumerate(asked["slices"]):
        arrays[f"slice_{n}"] = space.get_slice_image(axis, position)
    for target in asked["targets"]:
        arrays[f"downsampled_{target}"] = space.downsample((target,) * 3).annotation
    arrays["itksnap"], labels = space.export_itksnap_labels()
    told["itksnap_labels"] = labels[["IDX", "LABEL"]].astype(object).values.tolist()
    Path(folder, "told.json").write_text(json.dumps(told))
    np.savez(Path(folder, "told.npz"), **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
