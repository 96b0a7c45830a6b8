"""Sends every GET of an interface document, with ids that exist, to the address
in API, where a proxy holds requests and answers against the document.

Usage: read_all.py DOCUMENT; ids and the token come from the environment, see
prism.sh.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request

API, VERSION = os.environ["API"], os.environ["VERSION"]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
IDS = {"account_id": "ACCOUNT", "project_id": "PROJECT_ID", "target_group_id": "GROUP_ID",
       "fielding_run_id": "RUN_ID", "business_unit_id": "UNIT", "user_id": "MANAGER"}
ids = {name: os.environ[variable] for name, variable in IDS.items()}
ids.update(question_id="42", country_code="US", download_type="submitted-rids", report_type="completes")


def get(path):
    headers = {"authorization": "Bearer " + os.environ["TOKEN"], "cint-api-version": VERSION, "if-match": "*"}
    try:
        with OPENER.open(urllib.request.Request(API + path, headers=headers)) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


document = json.load(open(sys.argv[1], encoding="utf-8"))


def resolved(node):
    kind, name = node["$ref"].split("/")[2:4] if "$ref" in node else (None, None)
    return document["components"][kind][name] if kind else node


def query(operation, path):
    """What an operation cannot do without."""
    given = []
    for one in operation.get("parameters", []) + document["paths"][path].get("parameters", []):
        one = resolved(one)
        if one["in"] != "query" or not one.get("required"):
            continue
        schema = resolved(one["schema"])
        usual = {"locale": "eng_us", "session_month": "2025-01", "country_code": "US"}
        forms = {"date-time": "2025-01-28T08:00:00Z", "date": "2025-01-28"}
        value = usual.get(one["name"]) or forms.get(schema.get("format"))
        value = value or (schema.get("enum") or [1 if schema.get("type") == "integer" else "x"])[0]
        given.append(f"{one['name']}={value}")
    return "?" + "&".join(given) if given else ""


def first_id(value):
    """The first id in a list's answer."""
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(part, dict) and (found := part.get("id") or part.get("template_id") or part.get("request_id")):
            return found
        if isinstance(part, (dict, list)) and (found := first_id(part)):
            return found
    return None


def identify(path):
    """The path with ids in it; those that are not known are looked up in the list above them."""
    template = path
    while missing := re.search(r"\{(\w+)\}", path):
        name, before = missing.group(1), path[:missing.start()].rstrip("/")
        id = ids.get(name)
        if id is None:
            templates[path] = template
            item = document["paths"].get(templates.get(before, before), {})
            status, body = get(before + query(item["get"], templates[before])) if "get" in item else (0, "")
            id = first_id(json.loads(body)) if status == 200 else None
        path = path.replace(missing.group(0), str(id or unknown(name, path)), 1)
    return path


def unknown(name, path):
    """An id that nothing has, in the form of the document."""
    item = document["paths"][templates[path]]
    for one in map(resolved, item["get"].get("parameters", []) + item.get("parameters", [])):
        if one["name"] == name and resolved(one["schema"]).get("format") == "uuid" and "pattern" not in one["schema"]:
            return "3d9f2c1e-5b7a-4c8d-9e0f-1a2b3c4d5e6f"
    return "01JP0M57XAWSMNPSW5M62A035H"


statuses, templates = {}, {}
for path in document["paths"]:
    templates[re.sub(r"\{(\w+)\}", lambda found: ids.get(found.group(1), found.group(0)), path)] = path
for path, item in document["paths"].items():
    # The other host takes no path of this one.
    if "get" not in item or path.startswith("/fulfillment/"):
        continue
    status, _ = get(identify(path) + query(item["get"], path))
    statuses[status] = statuses.get(status, 0) + 1
print(f"{VERSION}: {sum(statuses.values())} GETs, by status {dict(sorted(statuses.items()))}")
