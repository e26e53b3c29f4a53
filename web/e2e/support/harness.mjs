// What every test has at hand: a page that must not log errors, the server's answers, small waits.
import assert from 'node:assert/strict';
import { CPU } from './seed.mjs';

export const tests = [];
/** `options.empty`: runs on a server without data. */
export const test = (name, run, options = {}) => tests.push({ name, run, ...options });

const LATEST_MS = 10_000;

/** Polls until `probe` gives something true; fails with `what`. */
export async function until(probe, what, ms = LATEST_MS) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    last = await probe();
    if (last) return last;
    if (Date.now() > end) throw new Error(`waited ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

export class Session {
  constructor(browser, base) {
    this.browser = browser;
    this.base = base;
    this.contexts = [];
    this.problems = [];
    /** Problems that a test provokes on purpose. */
    this.expected = [];
  }

  async page(path, options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark', reducedMotion: 'reduce', ...options });
    this.contexts.push(context);
    const page = await context.newPage();
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && this.problems.push(message.text()));
    page.on('pageerror', (error) => this.problems.push(error.stack ?? error.message));
    if (path) await page.goto(this.base + path);
    return page;
  }

  async close() {
    for (const context of this.contexts) await context.close();
    const bad = this.problems.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
    assert.deepEqual(bad, [], 'no console errors');
  }

  /** Explore with its flame drawn. */
  async explore(query = 's=checkout', options = {}) {
    const page = await this.page(`/explore?${query}`, options);
    await drawn(page);
    return page;
  }

  async api(call, params = {}) {
    const now = Date.now();
    const query = new URLSearchParams({ t: CPU, s: 'checkout', from: now - 3_600_000, to: now, ...params });
    const response = await fetch(`${this.base}/api/ui/v1/${call}?${query}`);
    assert.equal(response.status, 200, `${call}: ${response.status}`);
    return response.json();
  }
}

export const drawn = (page) => page.waitForFunction(() => (window.__flame?.stats().draws ?? 0) > 0 && window.__flame.view().total > 0);
export const rect = (page, nameOrPath) =>
  until(() => page.evaluate((name) => window.__flame.rect(name), nameOrPath), `a frame ${nameOrPath}`);
export const view = (page) => page.evaluate(() => window.__flame.view());
export const stats = (page) => page.evaluate(() => window.__flame.stats());

/** Waits until two animation frames have passed: what was asked for is drawn. */
export const settled = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** Clicks a frame by name or path. */
export async function clickFrame(page, nameOrPath, options = {}) {
  const box = await rect(page, nameOrPath);
  await page.mouse.click(box.x + Math.min(box.width / 2, 40), box.y + box.height / 2, options);
  await settled(page);
}

/** First `n` rows of the function table as text. */
export const tableRows = (page, n = 10) =>
  page.locator('[data-testid=fntable] .fn-row').evaluateAll((rows, count) =>
    rows
      .sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex')))
      .slice(0, count)
      .map((row) => [...row.querySelectorAll('[role=gridcell]')].map((cell) => cell.textContent.trim()).join(' | ')), n);

/** Requests of the private API as {call, params}, from now on. */
export function watchCalls(page) {
  const calls = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname.startsWith('/api/ui/v1/')) calls.push({ call: url.pathname.slice(11), params: url.searchParams });
  });
  return calls;
}

/** Text as people type it: without the thin spaces. */
export const plain = (text) => (text ?? '').replace(/[\u202f\u00a0]/g, ' ');

/** How much slower this machine is now than the reference, at least 1. */
export function slowness() {
  const begun = performance.now();
  let x = 1;
  for (let i = 0; i < 2e7; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  const ms = performance.now() - begun;
  return Math.max(1, ms / 25 + (x === 7 ? 1 : 0));
}
