// End-to-end tests on the real binary: node e2e/run.mjs --hearth PATH [--only TEXT] [--chromium PATH]. Ends with "N passed, N failed".
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { Session, tests } from './support/harness.mjs';
import { seed } from './support/seed.mjs';
import { startHearth } from './support/server.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const argument = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const binary = argument('--hearth');
if (!binary) {
  console.error('usage: node e2e/run.mjs --hearth PATH [--only TEXT] [--chromium PATH]');
  process.exit(2);
}
const only = argument('--only', '');
const TEST_MS = 60_000;

for (const file of readdirSync(here).filter((name) => name.endsWith('_e2e.mjs')).sort()) {
  await import(pathToFileURL(join(here, file)).href);
}

const browser = await chromium.launch({
  executablePath: argument('--chromium', '/usr/bin/chromium'),
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
const wanted = tests.filter(({ name }) => name.includes(only));
const full = await startHearth(resolve(binary));
await seed(full.base);

const timeout = (ms) => {
  let timer;
  const promise = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the test took over ${ms} ms`)), ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
};

async function runOne({ name, run, empty }) {
  const server = empty ? await startHearth(resolve(binary)) : full;
  const session = new Session(browser, server.base);
  const limit = timeout(TEST_MS);
  const begun = Date.now();
  try {
    await Promise.race([run(session), limit.promise]);
    await session.close();
    console.log(`ok     ${name} (${Date.now() - begun} ms)`);
    return true;
  } catch (error) {
    console.log(`FAILED ${name}\n${error.stack ?? error}\n`);
    await session.close().catch(() => undefined);
    return false;
  } finally {
    limit.cancel();
    if (empty) await server.stop();
  }
}

let passed = 0;
for (const one of wanted) if (await runOne(one)) passed++;
await browser.close();
await full.stop();
console.log(`${passed} passed, ${wanted.length - passed} failed`);
process.exit(passed === wanted.length && passed > 0 ? 0 : 1);
