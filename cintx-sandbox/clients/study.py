"""A study from the token to the reconciliation, with Python alone.

Set SANDBOX to the address of a running sandbox, such as http://127.0.0.1:8099,
and run: python3 study.py
A sandbox on another machine or in a container wants its control token as well,
in CINTX_SANDBOX_CONTROL_TOKEN.
"""

import json
import os
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone

SANDBOX = os.environ["SANDBOX"].rstrip("/")
VERSION = "2025-12-18"
TOKEN = os.environ.get("CINTX_SANDBOX_CONTROL_TOKEN")
# The sandbox is near; proxies of the environment do not matter to it.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def send(method, url, body=None, headers=None, media="application/json"):
    """One request: the answer's headers and its body, read as JSON where it is."""
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=dict(headers or {}))
    if data is not None:
        request.add_header("Content-Type", media)
    try:
        with OPENER.open(request) as answer:
            text = answer.read().decode()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return answer.headers, json.loads(text) if is_json else text
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {url}: {error.code} {error.read().decode()}") from error


def control(method, path, body=None):
    """One request to the control endpoint; what it answers."""
    headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else {}
    return send(method, f"{SANDBOX}/control/{path}", body, headers)[1]


class Demand:
    """The Demand API of one account."""

    def __init__(self, about):
        _, token = send("POST", f"{SANDBOX}/oauth/token", {
            "client_id": about["client_id"],
            "client_secret": about["client_secret"],
            "grant_type": "client_credentials",
            "audience": "https://api.luc.id",
            "auth_scopes": "app:api",
        })
        self.headers = {"Authorization": f"Bearer {token['access_token']}", "Cint-API-Version": VERSION}
        self.account = f"/demand/accounts/{about['account_id']}"

    def call(self, method, path, body=None, headers=None, media="application/json"):
        return send(method, f"{SANDBOX}/v1{path}", body, {**self.headers, **(headers or {})}, media)

    def once(self, path, body):
        """A request that may be repeated without being done twice."""
        return self.call("POST", path, body, {"Idempotency-Key": str(uuid.uuid4())})

    def until(self, path, done):
        """Reads a path until a condition holds."""
        for _ in range(200):
            _, body = self.call("GET", path)
            if done(body):
                return body
            time.sleep(0.05)
        raise SystemExit(f"{path} never came to it")


def quota(condition, percentage):
    return {"conditions": [condition], "quota": {"completes_goal_percentage": percentage}}


def draft(about, start, end):
    """Twenty completes in the United States, half of them men."""
    genders = [quota({"object": "selection", "question_id": 43, "option": option}, 50) for option in ("1", "2")]
    return {
        "name": "Pet owners",
        "business_unit_id": str(about["business_unit_id"]),
        "project_manager_id": about["project_manager_id"],
        "locale": "eng_us",
        "collects_pii": False,
        "fielding_specification": {"start_at": start, "end_at": end},
        "completes_goal": 20,
        "expected_length_of_interview_minutes": 10,
        "expected_incidence_rate": 0.5,
        "cost_per_interview": {"value": "5.00", "currency_code": "USD"},
        "live_url": "https://survey.example/?RID=[%RID%]",
        "test_url": "https://survey.example/?RID=[%RID%]&test=1",
        "fielding_assistant_assignment": {},
        "profiling": {
            "profile_adjustment_type": "percentage",
            "profiles": [{"object": "regular", "quotas_enabled": True, "targets": genders}],
        },
        "allocations": {"open_exchange_allocations": {
            "blocked_supplier_ids": [], "exchange_min_percentage": 0, "exchange_max_percentage": 100, "groups": [],
        }},
    }


def main():
    about = control("GET", "about")
    demand = Demand(about)
    moment = lambda hours: (datetime.now(timezone.utc) + timedelta(hours=hours)).isoformat(timespec="milliseconds")
    start, end = moment(2).replace("+00:00", "Z"), moment(7 * 24).replace("+00:00", "Z")

    _, project = demand.once(f"{demand.account}/projects", {
        "name": "From Python", "project_manager_id": about["project_manager_id"],
    })
    project = f"{demand.account}/projects/{project['id']}"
    print("project", project)

    _, group = demand.call("POST", f"{project}/target-groups", draft(about, start, end))
    group = f"{project}/target-groups/{group['id']}"
    jobs = f"{group}/fielding-run-jobs/launch-from-draft"
    # The job's id is the last part of the address; the rest is not to be called.
    headers, _ = demand.once(jobs, {"end_fielding_at": end})
    job = demand.until(f"{jobs}/{headers['Location'].rsplit('/', 1)[1]}", lambda one: one["status"] != "Processing")
    print("launched", job["created_fielding_run_id"])

    # Time passes ten seconds at a time, so that respondents come at once.
    done = None
    while done is None or done["status"] != "completed":
        control("POST", "clock", {"advance_seconds": 10})
        state = control("GET", "state")
        done = next(one for one in state["target_groups"] if group.endswith(one["id"]))
    print("completes", done["completes"], "cost", done["cost"])

    completes = [one["rid"] for one in state["sessions"]
                 if one["standing"] == "complete" and group.endswith(one["target_group_id"])]
    kept = completes[:-2]
    _, made = demand.call("POST", f"{project}/reconciliations/completes?name=python.csv", "\n".join(kept).encode(),
                          {"Idempotency-Key": str(uuid.uuid4())}, "text/csv")
    request = f"{demand.account}/reconciliations/{made['request_id']}"
    reconciled = demand.until(request, lambda one: one["status"] == "complete")
    print("turned back", reconciled["negative_reversed_count"])
    print("done")


if __name__ == "__main__":
    main()
