// A study from the token to the reconciliation, with Node (18 or later) alone.
//
// Set SANDBOX to the address of a running sandbox, such as http://127.0.0.1:8099,
// and run: node study.mjs
// A sandbox on another machine or in a container wants its control token as
// well, in CINTX_SANDBOX_CONTROL_TOKEN.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const SANDBOX = process.env.SANDBOX.replace(/\/$/, "");
const VERSION = "2025-12-18";
const TOKEN = process.env.CINTX_SANDBOX_CONTROL_TOKEN;

/** One request: the answer's headers and its body, read as JSON where it is. */
async function send(method, path, { body, headers = {}, media = "application/json" } = {}) {
  const init = { method, headers: { ...headers } };
  if (body !== undefined) {
    init.headers["Content-Type"] = media;
    init.body = typeof body === "string" ? body : JSON.stringify(body);
  }
  const answer = await fetch(`${SANDBOX}${path}`, init);
  const text = await answer.text();
  if (!answer.ok) {
    throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  }
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  return { headers: answer.headers, body: isJson ? JSON.parse(text) : text };
}

/** One request to the control endpoint; what it answers. */
async function control(method, path, body) {
  const headers = TOKEN ? { Authorization: `Bearer ${TOKEN}` } : {};
  return (await send(method, `/control/${path}`, { body, headers })).body;
}

/** The Demand API of one account. */
class Demand {
  static async signIn(about) {
    const { body } = await send("POST", "/oauth/token", {
      body: {
        client_id: about.client_id,
        client_secret: about.client_secret,
        grant_type: "client_credentials",
        audience: "https://api.luc.id",
        auth_scopes: "app:api",
      },
    });
    return new Demand(about, body.access_token);
  }

  constructor(about, token) {
    this.account = `/demand/accounts/${about.account_id}`;
    this.headers = { Authorization: `Bearer ${token}`, "Cint-API-Version": VERSION };
  }

  call(method, path, { headers = {}, ...rest } = {}) {
    return send(method, `/v1${path}`, { headers: { ...this.headers, ...headers }, ...rest });
  }

  /** A request that may be repeated without being done twice. */
  once(path, body, rest = {}) {
    return this.call("POST", path, { body, headers: { "Idempotency-Key": randomUUID() }, ...rest });
  }

  /** Reads a path until a condition holds. */
  async until(path, done) {
    for (let tries = 0; tries < 200; tries += 1) {
      const { body } = await this.call("GET", path);
      if (done(body)) {
        return body;
      }
      await sleep(50);
    }
    throw new Error(`${path} never came to it`);
  }
}

/** Twenty completes in the United States, half of them men. */
function draft(about, start, end) {
  const gender = (option) => ({
    conditions: [{ object: "selection", question_id: 43, option }],
    quota: { completes_goal_percentage: 50 },
  });
  return {
    name: "Pet owners",
    business_unit_id: String(about.business_unit_id),
    project_manager_id: about.project_manager_id,
    locale: "eng_us",
    collects_pii: false,
    fielding_specification: { start_at: start, end_at: end },
    completes_goal: 20,
    expected_length_of_interview_minutes: 10,
    expected_incidence_rate: 0.5,
    cost_per_interview: { value: "5.00", currency_code: "USD" },
    live_url: "https://survey.example/?RID=[%RID%]",
    test_url: "https://survey.example/?RID=[%RID%]&test=1",
    fielding_assistant_assignment: {},
    profiling: {
      profile_adjustment_type: "percentage",
      profiles: [{ object: "regular", quotas_enabled: true, targets: [gender("1"), gender("2")] }],
    },
    allocations: {
      open_exchange_allocations: {
        blocked_supplier_ids: [],
        exchange_min_percentage: 0,
        exchange_max_percentage: 100,
        groups: [],
      },
    },
  };
}

const about = await control("GET", "about");
const demand = await Demand.signIn(about);
const inHours = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString();
const [start, end] = [inHours(2), inHours(7 * 24)];

const { body: created } = await demand.once(`${demand.account}/projects`, {
  name: "From Node",
  project_manager_id: about.project_manager_id,
});
const project = `${demand.account}/projects/${created.id}`;
console.log("project", project);

const { body: drafted } = await demand.call("POST", `${project}/target-groups`, { body: draft(about, start, end) });
const group = `${project}/target-groups/${drafted.id}`;
const jobs = `${group}/fielding-run-jobs/launch-from-draft`;
// The job's id is the last part of the address; the rest is not to be called.
const { headers } = await demand.once(jobs, { end_fielding_at: end });
const jobId = headers.get("location").split("/").at(-1);
const job = await demand.until(`${jobs}/${jobId}`, (one) => one.status !== "Processing");
console.log("launched", job.created_fielding_run_id);

// Time passes ten seconds at a time, so that respondents come at once.
let state;
let done;
do {
  await control("POST", "clock", { advance_seconds: 10 });
  state = await control("GET", "state");
  done = state.target_groups.find((one) => one.id === drafted.id);
} while (done.status !== "completed");
console.log("completes", done.completes, "cost", done.cost);

const completes = state.sessions
  .filter((one) => one.target_group_id === drafted.id && one.standing === "complete")
  .map((one) => one.rid);
const { body: made } = await demand.once(
  `${project}/reconciliations/completes?name=node.csv`,
  completes.slice(0, -2).join("\n"),
  { media: "text/csv" },
);
const request = `${demand.account}/reconciliations/${made.request_id}`;
const reconciled = await demand.until(request, (one) => one.status === "complete");
console.log("turned back", reconciled.negative_reversed_count);
console.log("done");
