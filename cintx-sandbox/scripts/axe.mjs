// Lets axe, a judge of accessibility, read the page of a running sandbox.
//
//   npm install axe-core playwright-core       (in a folder of its own)
//   AXE=THAT_FOLDER cintx-sandbox/scripts/screenshots.sh FOLDER
//
// or by itself: node axe.mjs FOLDER_OF_THE_MODULES ADDRESS WIDTH light|dark.
// Ends with 1 if axe finds a violation of any rule that it has.

import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

const [modules, address, width, scheme] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "package.json"));
const { chromium } = require("playwright-core");
const profile = mkdtempSync(join(tmpdir(), "axe-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  headless: true,
  viewport: { width: Number(width), height: 1000 },
  colorScheme: scheme,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage();
await page.goto(address);
await page.waitForFunction(() => document.querySelector("#tiles li"));
// A request is opened, so that its details are read as well.
await page.evaluate(() => document.querySelector("#requests summary")?.click());
await page.waitForTimeout(1500);
await page.addScriptTag({ path: require.resolve("axe-core/axe.min.js") });
const { violations, passes, incomplete } = await page.evaluate(() => globalThis.axe.run());
const counts = `${violations.length} violations, ${passes.length} rules held, ${incomplete.length} for people to judge`;
console.log(`${width} px, ${scheme}: ${counts}`);
for (const one of violations) {
  console.log(`  ${one.id}: ${one.help}`);
  for (const node of one.nodes) console.log(`    ${node.target}: ${node.failureSummary.replaceAll("\n", " ")}`);
}
for (const one of incomplete) {
  if (process.env.VERBOSE) console.log(`  ${one.id}: ${one.nodes.map(node => node.target).join(", ")}`);
}
// What stands wider than the window makes people scroll sideways.
const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
if (wide > 0) console.log(`  the page is ${wide} px wider than the window`);
// What has the focus keeps it, and what has not changed is not built anew: four looks of the stream.
const kept = await page.evaluate(async () => {
  const mine = document.querySelector("#requests summary") ?? document.querySelector("#groups button");
  if (!mine) return true;
  mine.focus();
  const key = mine.dataset.key;
  await new Promise(done => setTimeout(done, 4000));
  return document.activeElement.dataset.key === key;
});
if (!kept) console.log("  the focus was lost");
await browser.close();
rmSync(profile, { recursive: true, force: true });
process.exit(violations.length || wide > 0 || !kept ? 1 : 0);
