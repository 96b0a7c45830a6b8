// Answers the survey in headless Chromium as a respondent does, and tells where the browser is sent.
//
//   npm install playwright-core       (in a folder of its own)
//   PLAYWRIGHT=THAT_FOLDER examples/survey_host/screenshots.sh FOLDER
//
// or by itself: node submit.mjs FOLDER_OF_THE_MODULE LINK PICTURE.
// Ends with 1 unless the form holds back what is not answered, and the answers lead to Cint's callback.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [modules, link, picture] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "package.json"));
const { chromium } = require("playwright-core");
const profile = mkdtempSync(join(tmpdir(), "survey-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  headless: true,
  viewport: { width: 390, height: 844 },
  // Nothing leaves this machine: the callback is asked for and not reached.
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
});
try {
  const page = await browser.newPage();
  const asked = [];
  page.on("request", (request) => asked.push(`${request.method()} ${request.url()}`));
  const sent = () => asked.filter((request) => request.startsWith("POST ")).length;
  await page.goto(link);
  const rid = new URL(link).searchParams.get("RID");
  await page.getByRole("button", { name: "Send" }).click();
  assert.equal(sent(), 0, "an empty form was sent");
  await page.getByLabel("age").fill("34");
  await page.getByLabel("tea").check();
  await page.getByLabel("green").check();
  await page.screenshot({ path: picture, fullPage: true });
  const back = page.waitForRequest((request) => new URL(request.url()).hostname === "samplicio.us");
  await page.getByRole("button", { name: "Send" }).click({ noWaitAfter: true });
  const callback = (await back).url();
  assert.equal(callback, `https://samplicio.us/s/ClientCallBack.aspx?RID=${rid}`);
  assert.equal(sent(), 1, `sent once: ${asked}`);
  console.log(`sent to ${callback}`);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
