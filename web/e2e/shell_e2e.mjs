// A01, A02, A03, A12–A14, A35, A36 as far as they concern the frame of the page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { clickFrame, drawn, plain, rect, settled, slowness, tableRows, test, until, view } from './support/harness.mjs';
import { CPU, pushOne } from './support/seed.mjs';

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const KB = 1024;
/** A 304 or an answer from the cache. */
const HEADERS_ONLY = 700;

test('A01 the page is small, same-origin, under its policy, and cached', async (session) => {
  const page = await session.page();
  const client = await page.context().newCDPSession(page);
  await client.send('Network.enable');
  const urls = [];
  const bytes = new Map();
  client.on('Network.requestWillBeSent', ({ requestId, request }) => urls.push([requestId, request.url]));
  client.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => bytes.set(requestId, encodedDataLength));
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective));
  });
  const response = await page.goto(`${session.base}/`);
  await page.getByRole('heading', { level: 1, name: 'Services' }).waitFor();
  await page.waitForLoadState('networkidle');
  assert.match(response.headers()['content-security-policy'], /default-src 'self'/);
  for (const [, url] of urls) assert.ok(url.startsWith(session.base) || url.startsWith('data:'), url);
  const own = urls.filter(([, url]) => !url.includes('/api/'));
  const firstData = urls.findIndex(([, url]) => url.includes('/api/'));
  assert.ok(firstData <= 12 && own.length <= 14, `${own.length} files, data after ${firstData}`);
  const total = own.reduce((sum, [id]) => sum + (bytes.get(id) ?? 0), 0);
  assert.ok(total > 0 && total <= 110 * KB, `${total} bytes`);
  assert.deepEqual(await page.evaluate(() => window.violations), []);
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Services' }).waitFor();
  const again = await page.evaluate(() =>
    performance.getEntriesByType('resource').filter((e) => e.name.includes('/assets/')).map((e) => [e.name, e.transferSize]),
  );
  assert.ok(again.length >= 4);
  for (const [name, size] of again) assert.ok(size < HEADERS_ONLY, `${name} was sent again: ${size} bytes`);
});

test('A01 an unknown path is a real 404 with the shell', async (session) => {
  session.expected.push(/404/);
  const page = await session.page();
  const response = await page.goto(`${session.base}/nowhere`);
  assert.equal(response.status(), 404);
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
});

test('A02 the first paint is quick and nothing jumps', async (session) => {
  const page = await session.page();
  await page.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((e) => (window.shift += e.hadRecentInput ? 0 : e.value))).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(`${session.base}/explore?s=checkout`);
  await drawn(page);
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity);
  const limit = 300 * slowness();
  assert.ok(paint <= limit, `first paint after ${Math.round(paint)} ms; limit ${Math.round(limit)}`);
  const shift = await page.evaluate(() => window.shift);
  assert.ok(shift <= 0.02, `layout shift ${shift}`);
});

test('A03 an empty store shows how to send data', async (session) => {
  const page = await session.page('/', { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.getByRole('heading', { level: 1, name: 'No profiles yet' }).waitFor();
  const tabs = page.getByRole('tab');
  const count = await tabs.count();
  assert.ok(count >= 10, `${count} tabs`);
  for (let i = 0; i < count; i++) {
    await tabs.nth(i).click();
    const text = await page.getByRole('tabpanel').textContent();
    assert.ok(text.includes(session.base), `tab ${i} names the address`);
  }
  await page.getByRole('tab', { name: 'curl' }).click();
  const snippet = page.locator('.snippet').first();
  await snippet.getByRole('button').click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await snippet.locator('code').textContent());
}, { empty: true });

test('A04 a rejected body and then a first profile show up', async (session) => {
  const page = await session.page('/');
  await page.getByText('Waiting for the first profile').waitFor();
  await fetch(`${session.base}/ingest?name=broken&format=pprof`, { method: 'POST', body: 'no profile' });
  await page.getByRole('heading', { name: 'Last rejections' }).waitFor({ timeout: 5000 });
  await pushOne(session.base, 'checkout');
  await page.getByText('A profile of checkout arrived').waitFor({ timeout: 5000 });
  await page.getByRole('link', { name: 'Open it' }).click();
  await drawn(page);
}, { empty: true });

test('A03 the same page is at /send on a full store', async (session) => {
  const page = await session.page('/send');
  await page.getByRole('heading', { level: 1, name: 'Send data' }).waitFor();
  assert.ok((await page.getByRole('tab').count()) >= 10);
});

test('A12 an address carries the whole view to another browser', async (session) => {
  const page = await session.explore(`s=checkout&t=${CPU}&f=region%3D%22eu%22&g=version`);
  await page.locator('[data-testid=fntable] .fn-row').first().waitFor();
  await clickFrame(page, ['main.main']);
  await clickFrame(page, ['main.main', 'acme.handle']);
  await clickFrame(page, ['main.main', 'acme.handle', 'acme.Encode']);
  await page.getByTestId('search').fill('json');
  await page.getByRole('columnheader', { name: 'Total' }).getByRole('button').click();
  await until(() => page.url().includes('sort=-total') && page.url().includes('q=json'), 'typing reaches the address');
  await page.getByTestId('hits').getByText('of all').waitFor();
  const other = await session.page(new URL(page.url()).pathname + new URL(page.url()).search);
  await drawn(other);
  await until(async () => (await view(other)).focus.length === 3, 'the zoom is restored');
  assert.deepEqual((await view(other)).focus, (await view(page)).focus);
  assert.equal(await other.getByTestId('crumbs').textContent(), await page.getByTestId('crumbs').textContent());
  assert.equal(await other.getByTestId('filters').textContent(), await page.getByTestId('filters').textContent());
  assert.equal(await other.getByTestId('search').inputValue(), 'json');
  const names = (rows) => rows.map((text) => text.split(' | ')[0]);
  assert.deepEqual(names(await tableRows(other)), names(await tableRows(page)));
});

test('A13 Back and Forward restore each step, and typing makes none', async (session) => {
  const page = await session.explore();
  const before = await page.evaluate(() => history.length);
  await page.getByTestId('search').pressSequentially('json');
  await page.getByTestId('search').fill('');
  await page.waitForTimeout(400);
  await page.mouse.move(900, 600);
  assert.equal(await page.evaluate(() => history.length), before);
  await clickFrame(page, ['main.main', 'acme.handle']);
  await clickFrame(page, 'acme.Encode', { button: 'right' });
  await page.getByRole('menuitem', { name: 'Sandwich' }).click();
  await page.getByTestId('sandwich').waitFor();
  await page.getByTestId('type').click();
  await page.getByRole('option', { name: /Live bytes/ }).click();
  await until(() => page.url().includes('inuse_space'), 'the type is in the address');
  assert.equal(await page.evaluate(() => history.length), before + 3);
  await page.goBack();
  assert.ok(!page.url().includes('inuse_space') && page.url().includes('view=sandwich'));
  await page.goBack();
  await until(async () => (await page.evaluate(() => window.__flame?.view().focus.length ?? 0)) === 2, 'the zoom is back');
  await page.goBack();
  await until(async () => (await view(page)).focus.length === 0, 'everything is back');
  for (let i = 0; i < 3; i++) await page.goForward();
  assert.ok(page.url().includes('inuse_space') && page.url().includes('fn=acme.Encode'));
});

test('A14 addresses of Pyroscope open the same selection', async (session) => {
  const query = encodeURIComponent(`${CPU}{service_name="checkout",region="eu"}`);
  const page = await session.page(`/?query=${query}&from=now-1h&until=now`);
  await drawn(page);
  const url = new URL(page.url());
  assert.equal(url.pathname, '/explore');
  assert.deepEqual([url.searchParams.get('s'), url.searchParams.get('t'), url.searchParams.get('f')], ['checkout', CPU, 'region="eu"']);
  const { total } = await session.api('functions', { f: 'region="eu"' });
  assert.equal((await view(page)).total, total);
  const diff = await session.page(`/comparison-diff?leftQuery=${query}&leftFrom=now-2h&rightQuery=${query}&rightFrom=now-1h&rightUntil=now`);
  await drawn(diff);
  assert.equal(new URL(diff.url()).searchParams.get('f'), 'region="eu"');
});

test('A35 themes: system, choice, memory, no flash', async (session) => {
  const ground = (page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const page = await session.explore('s=checkout', { colorScheme: 'light' });
  assert.equal(await ground(page), 'rgb(245, 246, 248)');
  await page.emulateMedia({ colorScheme: 'dark' });
  await until(async () => (await ground(page)) === 'rgb(15, 18, 22)', 'the dark ground');
  const draws = await page.evaluate(() => window.__flame.stats().draws);
  await page.getByRole('button', { name: /^Theme/ }).click();
  assert.equal(await ground(page), 'rgb(245, 246, 248)');
  await until(async () => (await page.evaluate(() => window.__flame.stats().draws)) > draws, 'the canvas is repainted');
  await page.addInitScript(() => {
    document.addEventListener('DOMContentLoaded', () => (window.first = getComputedStyle(document.documentElement).backgroundColor));
  });
  await page.reload();
  assert.equal(await page.evaluate(() => window.first), 'rgb(245, 246, 248)');
});

async function axe(page, where) {
  await settled(page);
  await page.evaluate(AXE);
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  );
  const lines = found.violations.flatMap((v) => v.nodes.map((n) => `${where}: ${v.id}: ${n.target.join(' ')}: ${n.failureSummary}`));
  assert.deepEqual(lines, []);
}

for (const colorScheme of ['light', 'dark']) {
  test(`A36 axe finds nothing on the full pages, ${colorScheme}`, async (session) => {
    const page = await session.page('/', { colorScheme });
    await page.locator('.service').first().waitFor();
    await axe(page, 'services');
    await page.goto(`${session.base}/explore?s=checkout&g=region&q=json&f=version%3D%222.4.1%22`);
    await drawn(page);
    await axe(page, 'explore');
    await page.keyboard.press('t');
    await page.getByRole('dialog').waitFor();
    await axe(page, 'time picker');
    await page.keyboard.press('Escape');
    await page.keyboard.press('f');
    await page.getByRole('option').first().waitFor();
    await axe(page, 'filter builder');
    await page.keyboard.press('Escape');
    await page.goto(`${session.base}/explore?s=checkout&view=sandwich&fn=acme.walk`);
    await page.locator('.halves').waitFor();
    await axe(page, 'sandwich');
    await page.goto(`${session.base}/send`);
    await page.getByRole('tab').first().waitFor();
    await axe(page, 'send');
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await axe(page, 'shortcuts');
  });

  test(`A36 axe finds nothing in empty and error states, ${colorScheme}`, async (session) => {
    session.expected.push(/500/);
    const page = await session.page('/explore?s=checkout&f=region%3D%22mars%22', { colorScheme });
    await page.getByRole('heading', { name: 'No profiles here' }).waitFor();
    await page.getByText(/Without/).waitFor();
    await axe(page, 'nothing here');
    const body = JSON.stringify({ code: 'internal', message: 'a planted failure', request: 'f00' });
    await page.route('**/api/ui/v1/tree*', (route) => route.fulfill({ status: 500, contentType: 'application/json', body }));
    await page.goto(`${session.base}/explore?s=checkout`);
    await page.getByText('a planted failure').waitFor();
    assert.ok(plain(await page.locator('.problem').textContent()).includes('Request f00'));
    await page.locator('[data-testid=fntable] .fn-row').first().waitFor();
    await axe(page, 'error');
    await page.unroute('**/api/ui/v1/tree*');
    await page.getByRole('button', { name: 'Retry' }).click();
    await drawn(page);
    await rect(page, 'acme.handle');
  });
}
