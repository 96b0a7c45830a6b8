"""Sends the samples of a guide to a running sandbox and tells what it says.

    cintx-sandbox --port 8099 --field-pace 0
    guide.py FILE http://127.0.0.1:8099

FILE is the guide as text; none of it is kept here. Samples are found by their
form (curl calls, JSON objects, properties of a body) and told apart by the
names in them. Ids, credentials and times of the guide become those of the
sandbox, and amounts take the business unit's currency where its pricing model
has another one. What the guide shows as an answer or as an event is compared
with what the sandbox says for the same operation: names that the sandbox lacks
are told, apart by whether the interface document declares them. Prints a table:
line, operation, status or names, the reason of a refusal.
"""

import datetime
import json
import pathlib
import random
import re
import sys
import time
import urllib.error
import urllib.request
import uuid

VERSION = "2025-02-17"
DOCUMENTS = pathlib.Path(__file__).resolve().parents[2] / "openapi"
text = open(sys.argv[1], encoding="utf-8", errors="replace").read()
lines = text.split("\n")
base = sys.argv[2].rstrip("/")
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(method, path, body=None, headers=None, raw=False):
    """One request: status, headers, body."""
    data = body if raw or body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data, method=method, headers=headers or {})
    try:
        with OPENER.open(request) as answer:
            status, got, content = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        status, got, content = error.code, error.headers, error.read()
    try:
        content = json.loads(content)
    except ValueError:
        content = content.decode(errors="replace")
    return status, got, content


about = call("GET", "/control/about")[2]
account = about["account_id"]
TOKEN = {"client_id": about["client_id"], "client_secret": about["client_secret"],
         "grant_type": "client_credentials", "audience": "https://api.luc.id"}
bearer = call("POST", "/oauth/token", TOKEN, {"content-type": "application/json"})[2]["access_token"]


def api(method, path, body=None, version=VERSION, **more):
    headers = {"authorization": "Bearer " + bearer, "cint-api-version": version,
               "idempotency-key": str(uuid.uuid4()), **more}
    if body is not None:
        headers["content-type"] = "application/json"
    return call(method, "/v1" + path, body, headers)


def must(answer, *good):
    assert answer[0] in good, answer
    return answer[2]


def ulid():
    return "01" + "".join(random.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=24))


def later(hours):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


# What there is to ask for.
mine = f"/demand/accounts/{account}"
v2 = f"/demand/v2/accounts/{account}"
manager = about["project_manager_id"]
project = must(api("POST", mine + "/projects", {"name": "guide", "project_manager_id": manager}), 202)["id"]
groups = f"/projects/{project}/target-groups"


def substituted(value, key=""):
    """The sandbox's own ids and times in the place of the guide's."""
    if isinstance(value, dict):
        return {name: substituted(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [substituted(part, key) for part in value]
    if key == "business_unit_id":
        return 3848 if isinstance(value, int) else "3848"
    if key.lower() == "project_manager_id":
        return manager
    if key in ("start_at", "end_at"):
        return later(3 if key == "start_at" else 51)
    return value


def blocks():
    """Every sample: the line on which it begins, its kind, its text."""
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if line.startswith("curl"):
            # A call ends with an empty line that is not within its quotes.
            end = at + 1
            while lines[end].strip() or "\n".join(lines[at:end]).count("'") % 2:
                end += 1
            yield at + 1, "curl", "\n".join(lines[at:end])
            at = end
        elif line in ("{", "[") or re.match(r'"\w+": *[\[{]$', line):
            kind = "json" if line in ("{", "[") else "part"
            depth, end = 0, at
            while end < len(lines):
                bare = re.sub(r'"[^"\n]*"', '""', lines[end])
                depth += len(re.findall(r"[\[{]", bare)) - len(re.findall(r"[\]}]", bare))
                end += 1
                # Not all of them are closed: prose ends them as well.
                if depth <= 0 or re.match("[A-Za-z]", (lines + [""])[end]):
                    break
            yield at + 1, kind, "\n".join(lines[at:end])
            at = end
        elif re.match(r"(POST|PUT|GET|DELETE) https?://", line):
            yield at + 1, "line", line
            at += 1
        else:
            at += 1


def parsed(sample):
    """JSON with what guides leave in it: placeholders, commas, open ends."""
    sample = re.sub(r":\s*<(\w+)>", r': "\1"', sample)
    sample = re.sub(r",(\s*[\]}])", r"\1", sample).strip().rstrip(",")
    for closing in ("", "}", "]}", "}}", "}}}"):
        try:
            return json.loads(sample + closing)
        except ValueError:
            pass
        try:
            return json.loads("{" + sample.rstrip(",") + closing + "}")
        except ValueError:
            pass
    return None


def names(value, place=""):
    """All names in it, with where they stand; lists count by their members."""
    if isinstance(value, list):
        return {name for part in value for name in names(part, place + "[]")}
    if isinstance(value, dict):
        # Numbers as names are ids.
        found = set()
        for name, part in value.items():
            here = f"{place}.{'*' if name.isdigit() else name}"
            found |= {here} | names(part, here)
        return found
    return set()


def document(date):
    with open(DOCUMENTS / f"{date}.json", encoding="utf-8") as file:
        return json.load(file)


def declared(operation, date):
    """All names that a document declares for an operation's good answers."""
    doc, found = document(date), set()

    def walk(schema, place, depth):
        if depth > 24 or not isinstance(schema, dict):
            return
        if "$ref" in schema:
            kind, name = schema["$ref"].split("/")[2:4]
            return walk(doc["components"][kind][name], place, depth + 1)
        for branch in (schema.get(word) or [] for word in ("allOf", "oneOf", "anyOf")):
            for one in branch:
                walk(one, place, depth + 1)
        for name, one in (schema.get("properties") or {}).items():
            found.add(f"{place}.{name}")
            walk(one, f"{place}.{name}", depth + 1)
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            found.add(place + ".*")
            walk(more, place + ".*", depth + 1)
        walk(schema.get("items"), place + "[]", depth + 1)

    for path in doc["paths"].values():
        for one in path.values():
            if isinstance(one, dict) and one.get("operationId") == operation:
                for status, answer in one["responses"].items():
                    if "$ref" in answer:
                        answer = doc["components"]["responses"][answer["$ref"].split("/")[-1]]
                    for media in (answer.get("content") or {}).values() if status.startswith("2") else ():
                        walk(media.get("schema"), "", 0)
    return found


def draft(number=0):
    """A draft with age and gender; its id."""
    bands = [{"min": 18, "max": 24, "text": "18 to 24"}, {"min": 25, "max": 99, "text": "25 to 99"}]
    sexes = [{"option": "1", "text": "Male"}, {"option": "2", "text": "Female"}]
    halves = {"ungrouped": [{"index": 0, "quota_percentage": 50, "quota_nominal": 0},
                            {"index": 1, "quota_percentage": 50, "quota_nominal": 0}], "grouped": []}
    profile = lambda question, form, data: {
        "question_id": question, "quotas_enabled": True,
        "conditions": {"object": form, "data": data}, "quotas": halves}
    body = {
        "name": f"guide {number}", "business_unit_id": "3848", "project_manager_id": manager, "locale": "eng_us",
        "collects_pii": False, "filling_goal": 50, "expected_length_of_interview_minutes": 5,
        "expected_incidence_rate": 0.5, "cost_per_interview": {"value": "2.00", "currency_code": "USD"},
        "fielding_specification": {"start_at": later(3), "end_at": later(51)},
        "live_url": "https://survey.example/?RID=[%RID%]", "test_url": "https://survey.example/?RID=[%RID%]",
        "fielding_assistant_assignment": {},
        "profile": {"profile_adjustment_type": "percentage", "interlocked_profiles": [], "drafts": [
            profile(42, "range_conditions_details_template", bands),
            profile(43, "selection_conditions_details_template", sexes)]},
    }
    return must(api("POST", mine + groups, body), 201)["id"], body


def launched():
    """A target group in field; its id and its profiles."""
    group, _ = draft()
    path = f"{mine}{groups}/{group}"
    must(api("POST", path + "/fielding-run-jobs/launch-from-draft", {"end_fielding_at": later(50)}), 201)
    for _ in range(100):
        status, _, profiles = api("GET", f"{v2}{groups}/{group}/profiles")
        if status == 200 and api("GET", path + "/overview")[2].get("status") == "live":
            return group, profiles["data"]
        time.sleep(0.05)
    raise SystemExit("nothing went live")


def interlocked():
    group, profiles = launched()
    body = {"target_group_filling_goal": 50, "profiles": [one["id"] for one in profiles]}
    return group, must(api("POST", f"{v2}{groups}/{group}/profiles/create-interlocked-profile", body), 200, 201)


def reason(answer):
    content = answer[2]
    if answer[0] < 400:
        return ""
    if isinstance(content, dict):
        params = content.get("invalid_params") or []
        return "; ".join(f"{one.get('name')}: {one.get('reason')}" for one in params) or str(content.get("detail"))
    return str(content)[:200]


def tell(line, operation, outcome, why=""):
    print(f"| {line} | `{operation}` | {outcome} | {why} |")


def compare(line, operation, shown, own, date=VERSION):
    """Names of a shown answer against the sandbox's own one."""
    if shown is None:
        tell(line, operation + ", answer", "no JSON")
        return
    known = declared(operation, date)
    lacks = sorted(names(shown) - names(own))
    due = [name for name in lacks if name in known]
    alien = [name for name in lacks if name not in known]
    inner = lambda name: name.removeprefix("[]").split(".")[-1].split("[")[0]
    tell(line, operation + ", answer", "declared, not sent: " + ", ".join(due) if due else "has what is declared",
         "not in the document: " + ", ".join(sorted({inner(name) for name in alien})) if alien else "")


def send_draft(line, body, put=False):
    body = substituted(body)
    model = (body.get("fielding_assistant_assignment", {}).get("pricing") or {}).get("type")
    if model == "rate_card":
        body["business_unit_id"] = "3850"
        body = json.loads(json.dumps(body).replace('"USD"', '"EUR"'))
    if put:
        group, _ = draft()
        answer = api("PUT", f"{mine}{groups}/{group}", body)
        tell(line, "update_target_group", answer[0], reason(answer))
    else:
        answer = api("POST", mine + groups, body)
        tell(line, "create_target_group", answer[0], reason(answer))


def send_interlock(line, body):
    group, profiles = launched()
    body = {**body, "profiles": [one["id"] for one in profiles]}
    answer = api("POST", f"{v2}{groups}/{group}/profiles/create-interlocked-profile", body)
    tell(line, "create-interlocked-profile", answer[0], reason(answer))


def send_goals(line, body):
    group, profiles = launched()
    # As many quotas as the profile has, by the sample's own values.
    quotas = body["profiles"][0]["quotas"]
    ids = [one["id"] for one in profiles[0]["quotas"]["ungrouped"]]
    sums = [str(sum(int(one["filling_goal"]) for one in quotas[at::len(ids)])) for at in range(len(ids))]
    if isinstance(quotas[0]["filling_goal"], int):
        sums = [int(one) for one in sums]
    body["profiles"] = [{"profile_id": profiles[0]["id"],
                         "quotas": [{"quota_id": id, "filling_goal": goal} for id, goal in zip(ids, sums)]}]
    answer = api("PUT", f"{v2}{groups}/{group}/profiles/filling-goal", body)
    tell(line, "update_profile_filling_goal", answer[0], reason(answer))


def enter():
    group, _ = launched()
    return must(call("POST", "/control/respondents", {"target_group_id": group},
                     {"content-type": "application/json"}), 201)["rid"]


def curl(line, sample):
    url = re.search(r"https?://[^\"'\s\\]+", sample)
    found = re.search(r"(?:-d|--data)\s+\$?'(.*)", sample, re.S)
    body = parsed(found.group(1).rstrip().rstrip("'").strip()) if found else None
    path = url.group(0).split("/", 3)[3]
    if "oauth" in path:
        body.update(client_id=about["client_id"], client_secret=about["client_secret"])
        answer = call("POST", "/oauth/token", body, {"content-type": "application/json"})
        tell(line, "oauth_token", answer[0], reason(answer))
    elif path.endswith("/projects"):
        answer = api("POST", mine + "/projects", substituted(body))
        tell(line, "create_project", answer[0], reason(answer))
    elif path.endswith("/overview"):
        # The case of the path's words is the guide's.
        word = re.search(r"projects", path, re.I).group(0)
        answer = api("GET", f"{mine}/{word}/{project}/overview")
        tell(line, "project_overview", answer[0], reason(answer))
    elif path.endswith("/filling-goal"):
        send_goals(line, body)
    elif path.endswith("/launch-from-draft"):
        word = re.search(r"projects", path, re.I).group(0)
        group, _ = draft()
        job = f"{mine}/{word}/{project}/target-groups/{group}/fielding-run-jobs/launch-from-draft"
        answer = api("POST", job, body)
        tell(line, "create_launch_fielding_run_from_draft_job", answer[0], reason(answer))
    else:
        tell(line, path, "not sent")


def part(line, name, value):
    """A property of a draft."""
    _, body = draft()
    if value is None:
        tell(line, f"create_target_group, {name}", "shown part is no JSON")
        return
    if name == "pacing":
        body["fielding_assistant_assignment"] = {"pacing": value}
    elif name in ("profile", "supply_allocations", "fielding_assistant_assignment"):
        if name == "profile":
            value.setdefault("interlocked_profiles", [])
        body[name] = value
    elif name == "interlocked_profile":
        compare(line, "create-interlocked-profile", {name: value}, interlocked()[1])
        return
    else:
        tell(line, name, "not sent")
        return
    answer = api("POST", mine + groups, body)
    tell(line, f"create_target_group, {name}", answer[0], reason(answer))


def sample(line, value):
    if isinstance(value, list):
        if value and "depends_on_questions" in value[0]:
            answer = api("POST", v2 + "/drafts/generate-interlocked-profile", helper)
            if answer[0] == 201:
                compare(line, "generate_draft_interlock_profile_v2", value, answer[2])
        return
    keys = set(value)
    if "grant_type" in keys:
        return
    if {"filling_goal", "locale", "profiles"} <= keys:
        helper.update(substituted(value))
        answer = api("POST", v2 + "/drafts/generate-interlocked-profile", helper)
        tell(line, "generate_draft_interlock_profile_v2", answer[0], reason(answer))
    elif "target_group_filling_goal" in keys:
        send_interlock(line, value)
    elif "business_unit_id" in keys and "profile" in keys:
        send_draft(line, value, put="human_readable_id" in keys)
    elif keys == {"id"}:
        own = must(api("POST", mine + "/projects", {"name": "another", "project_manager_id": manager}), 202)
        compare(line, "create_project", value, own)
    elif "statistics" in keys and "account_id" in keys:
        compare(line, "project_overview", value, must(api("GET", f"{mine}/projects/{project}/overview"), 200))
    elif "suggested_price" in keys:
        _, body = draft()
        dynamic = "suggested_price_range" in keys
        if not dynamic:
            body["business_unit_id"], body["pricing_model"] = "3850", "rate_card"
            body.pop("cost_per_interview")
        asked = {name: body[name] for name in ("locale", "filling_goal", "business_unit_id", "collects_pii")}
        asked["business_unit_id"] = int(asked["business_unit_id"])
        asked.update(incidence_rate=0.5, length_of_interview=5, start_date=later(3), end_date=later(51))
        answer = api("POST", f"{mine}{groups}/calculate-feasibility", asked)
        if answer[0] != 200:
            return tell(line, "calculate_target_group_feasibility", answer[0], reason(answer))
        compare(line, "calculate_target_group_feasibility", value, answer[2])
    elif "response_type" in keys:
        own = api("GET", f"/demand/questions/{value['id']}?locale=eng_us")
        compare(line, "get_question_by_id", value, own[2])
    elif "locales" in keys:
        listed = must(api("GET", mine + "/profiling-templates?scope=global"), 200)
        own = next(part for part in listed.values() if isinstance(part, list))
        if "profiles" in keys:
            compare(line, "get_profile_template", value,
                    must(api("GET", f"{mine}/profiling-templates/{own[0]['id']}"), 200))
        else:
            compare(line, "list_profile_templates", {"data": [value]}, {"data": own})
    elif "interlocked_profile" in keys:
        compare(line, "create-interlocked-profile", value, interlocked()[1])
    elif "data" in keys:
        compare(line, "get-profiles", value, {"data": launched()[1]})
    elif {"id", "status", "links"} <= keys:
        rid = enter()
        own = call("GET", f"/fulfillment/respondents/{rid}", None, {"authorization": about["s2s_key"]})
        compare(line, "get_respondent_status", value, own[2], "2025-12-18")
    elif keys == {"id", "status"}:
        body = {"id": enter(), "status": 5}
        answer = call("POST", "/fulfillment/respondents/transition", body,
                      {"authorization": about["s2s_key"], "content-type": "application/json"})
        tell(line, "update_respondent_status", answer[0], reason(answer))
    elif keys == {"events"}:
        body = {"id": ulid(), "url": "http://127.0.0.1:9/guide", "events": value["events"]}
        answer = api("POST", f"/accounts/{account}/webhooks", body)
        tell(line, "create_webhook, events", answer[0], reason(answer))
    elif "response_session_id" in keys or "screens" in keys or "las_user_id" in str(value):
        kind = ("session.updated" if "response_session_id" in keys else
                "quota.fill.registered" if "screens" in keys else "target-group.updated")
        seen = next((one for one in events() if one["type"].endswith(kind)), {"data": {}})
        compare(line, "event " + kind, value, seen["data"], "2025-12-18")
    else:
        tell(line, "?", "not known")


def events():
    """Events of each kind, as they wait for a subscriber that is not there."""
    if not heard:
        import http.server
        import threading

        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                heard.append(body)
                answer = json.dumps({"event_id": body["id"]}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        body = {"id": ulid(), "url": f"http://127.0.0.1:{server.server_port}/hook",
                "events": ["target-group-updated", "session-updated", "quota-fill-registered"]}
        must(api("POST", f"/accounts/{account}/webhooks", body), 200, 201)
        enter()
        time.sleep(3)
    return heard


helper, heard = {}, []
print("| line | sample | answer | why |\n|---|---|---|---|")
for line, kind, found in blocks():
    if kind == "curl":
        curl(line, found)
    elif kind == "line":
        group, made = interlocked()
        profile = made["id"]
        if found.startswith("POST"):
            answer = api("POST", f"{v2}{groups}/{group}/profiles/{profile}/remove-interlocks")
            tell(line, "remove-interlocks", answer[0], reason(answer))
    elif kind == "part":
        name = re.match(r'\s*"(\w+)"', found).group(1)
        value = parsed(found)
        part(line, name, value and value.get(name))
    else:
        value = parsed(found)
        if value is None:
            tell(line, "?", "no JSON")
        else:
            sample(line, value)
