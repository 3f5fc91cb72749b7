"""Run by the Allen SDK's Python: what its two classes make of SWC files. Arguments: requests.json answers.json.

requests.json holds [{"file": path, "calls": [[class, method, arguments] ...]} ...]; a call works on a tree read afresh.
An answer is the nodes after it ([type, x, y, z, radius, parent] each), what the method returned, or the error's name.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys


def nodes_of(tree, is_internal):
    if is_internal:
        return [[n.t, n.x, n.y, n.z, n.radius, n.parent] for n in tree.node_list]
    return [[n["type"], n["x"], n["y"], n["z"], n["radius"], n["parent"]] for n in tree.compartment_list]


def ids_of(found, is_internal):
    return [node.n if is_internal else node["id"] for node in found]


def answer(file, kind, method, arguments):
    is_internal = kind == "internal"
    if method == "validate":
        from allensdk.internal.morphology import validate_swc as internal
        from allensdk.morphology import validate_swc as public

        return {"valid": bool((internal if is_internal else public).validate_swc(file))}
    if is_internal:
        from allensdk.internal.core import swc
    else:
        from allensdk.core import swc
    tree = swc.read_swc(file)
    if method == "trees":
        return {"trees": [sorted(ids_of(tree.tree(k), is_internal)) for k in range(tree.num_trees)]}
    if method == "find":
        return {"ids": ids_of(tree.find(*arguments), is_internal)}
    if method == "dimensions":
        return {"dimensions": [list(part) for part in tree.get_dimensions()]}
    result = getattr(tree, method)(*arguments) if method != "read" else None
    return {"nodes": nodes_of(tree if result is None else result, is_internal)}


def main(requests, answers):
    told = []
    with open(requests) as file:
        asked = json.load(file)
    for request in asked:
        for kind, method, arguments in request["calls"]:
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    told.append(answer(request["file"], kind, method, arguments))
            except Exception as error:
                told.append({"error": f"{type(error).__name__}: {error}"})
    with open(answers, "w") as file:
        json.dump(told, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
