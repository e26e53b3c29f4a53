// A06–A08, A10, A15, A16, A18–A20: the query and the flame graph.
import assert from 'node:assert/strict';
import { clickFrame, drawn, plain, rect, settled, stats, tableRows, test, until, view, watchCalls } from './support/harness.mjs';
import { SERVICES } from './support/seed.mjs';

test('A06 services: sorted by use, filtered, opened; another type shows its unit', async (session) => {
  const page = await session.page('/');
  const rows = page.locator('.service');
  await rows.first().waitFor();
  const order = await rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-service')));
  assert.deepEqual(order.filter((name) => SERVICES.includes(name)), SERVICES);
  await page.getByLabel('Filter services').fill('che');
  assert.equal(await rows.count(), 1);
  await rows.first().click();
  await drawn(page);
  assert.ok(page.url().includes('/explore?s=checkout'));
  await page.getByTestId('type').click();
  await page.getByRole('option', { name: /Live bytes/ }).click();
  await until(async () => /[KMG]iB/.test(await page.getByTestId('fntotal').textContent()), 'bytes in the table');
  await drawn(page);
  const box = await rect(page, 'acme.handle');
  await page.mouse.move(box.x + 20, box.y + 8);
  assert.match(plain(await page.getByTestId('tip').textContent()), /[KMG]iB/);
});

test('A07 a brush narrows graph and table, and nothing else', async (session) => {
  const page = await session.explore();
  await page.waitForLoadState('networkidle');
  const calls = watchCalls(page);
  const area = await page.locator('[data-testid=tl] .u-over').boundingBox();
  await page.mouse.move(area.x + area.width * 0.3, area.y + 40);
  await page.mouse.down();
  await page.mouse.move(area.x + area.width * 0.4, area.y + 40, { steps: 4 });
  await page.mouse.move(area.x + area.width * 0.5, area.y + 40, { steps: 4 });
  await page.mouse.up();
  await page.getByTestId('brush').waitFor();
  assert.match(await page.getByTestId('brush').textContent(), /\d+:\d+.*–.*\d+:\d+/);
  const [from, to] = new URL(page.url()).searchParams.get('b').split('-').map(Number);
  await until(() => calls.some((c) => c.call === 'tree') && calls.some((c) => c.call === 'functions'), 'tree and functions are asked for');
  for (const { call, params } of calls) {
    assert.notEqual(call, 'series');
    assert.deepEqual([Number(params.get('from')), Number(params.get('to'))], [from, to]);
  }
  const share = (to - from) / 3_600_000;
  assert.ok(share > 0.17 && share < 0.23, `the brush covers ${share} of the hour`);
  await page.keyboard.press('Z');
  await until(() => !page.url().includes('b=') && page.url().includes('from='), 'the range is the brush');
  assert.equal(Date.parse(new URL(page.url()).searchParams.get('from')), from);
  await page.goBack();
  await page.getByTestId('brush').waitFor();
  await page.keyboard.press('Escape');
  await until(() => !page.url().includes('b='), 'Escape clears the brush');
});

test('A08 times are explained while typed, garbage changes nothing, zones go everywhere', async (session) => {
  const page = await session.explore();
  await page.waitForLoadState('networkidle');
  await page.keyboard.press('t');
  const from = page.getByRole('textbox', { name: 'From' });
  await from.fill('now-90m');
  await page.locator('#explain-from').getByText('1 h 30 min ago').waitFor();
  await page.getByText('1 h 30 min long').waitFor();
  await from.fill('yesterday');
  assert.match(await page.locator('#explain-from').textContent(), /00:00:00/);
  const calls = watchCalls(page);
  const before = page.url();
  await from.fill('garbage');
  await page.locator('#explain-from').getByText('Not understood').waitFor();
  await from.press('Enter');
  assert.equal(page.url(), before);
  assert.deepEqual(calls, []);
  await from.fill('now-30m');
  await page.getByLabel('Time zone by name').fill('Europe/Rome');
  await page.locator('#explain-from').getByText('UTC+').waitFor();
  await page.getByRole('button', { name: 'Apply' }).click();
  await until(() => page.url().includes('from=now-30m'), 'the range is in the address');
  assert.match(await page.getByTestId('time').textContent(), /UTC\+/);
  await page.reload();
  await drawn(page);
  assert.match(await page.getByTestId('time').textContent(), /UTC\+/);
  const forced = await session.explore('s=checkout&tz=Asia/Kolkata');
  assert.match(await forced.getByTestId('time').textContent(), /UTC\+5:30/);
});

test('A09 a filter by keyboard alone', async (session) => {
  const page = await session.explore();
  await page.keyboard.press('f');
  await page.keyboard.type('reg');
  await page.getByRole('option', { name: /region/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('option', { name: /eu/ }).waitFor();
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  await until(() => new URL(page.url()).searchParams.get('f') === 'region=~"eu|us"', 'the matcher is in the address');
  assert.match(await page.getByTestId('filters').textContent(), /region in eu, us/);
  const { total } = await session.api('functions', { f: 'region=~"eu|us"' });
  await until(async () => (await view(page)).total === total, 'the graph is filtered');
});

test('A10 a broken selector is marked, asks nothing and keeps the last result', async (session) => {
  const page = await session.explore('s=checkout&f=region%3D%22eu%22');
  await page.waitForLoadState('networkidle');
  const { total } = await view(page);
  await page.getByRole('button', { name: 'Selector as text' }).click();
  const input = page.getByLabel('Label matchers');
  const calls = watchCalls(page);
  await input.fill('region=');
  await page.getByRole('alert').getByText('column 8').waitFor();
  assert.equal(await page.locator('.raw-mark').evaluate((mark) => mark.firstChild.textContent), 'region=');
  await page.waitForTimeout(300);
  assert.deepEqual(calls, []);
  assert.equal((await view(page)).total, total);
  await input.fill('region="us"');
  await until(() => calls.some((c) => c.call === 'tree' && c.params.get('f') === 'region="us"'), 'the fixed selector is asked for');
  assert.equal(await page.getByRole('alert').count(), 0);
});

test('A15 zoom: click, ancestor, Escape, 0, wheel at the pointer, drag, minimap', async (session) => {
  const page = await session.explore('s=checkout&view=flame');
  const width = await page.locator('.fg-scroll').evaluate((e) => e.clientWidth);
  await clickFrame(page, 'acme.handle');
  const box = await rect(page, 'acme.handle');
  const { x } = await page.locator('.fg-scroll').boundingBox();
  assert.ok(Math.abs(box.x - x) <= 1 && Math.abs(box.width - width) <= 1, 'the bar fills the width');
  assert.deepEqual((await view(page)).focus, ['main.main', 'acme.handle']);
  assert.match(await page.getByTestId('crumbs').textContent(), /all.*main\.main.*acme\.handle/);
  await clickFrame(page, 'main.main');
  assert.deepEqual((await view(page)).focus, ['main.main']);
  await clickFrame(page, 'acme.handle');
  await page.keyboard.press('Escape');
  assert.deepEqual((await view(page)).focus, ['main.main']);
  await page.keyboard.press('0');
  assert.deepEqual((await view(page)).focus, []);
  const target = await rect(page, 'acme.Encode');
  const at = { x: target.x + 30, y: target.y + 8 };
  const value = (v) => v.x0 + ((v.x1 - v.x0) * (at.x - x)) / width;
  const before = value(await view(page));
  await page.mouse.move(at.x, at.y);
  await page.keyboard.down('Control');
  for (let i = 0; i < 5; i++) await page.mouse.wheel(0, -120);
  await page.keyboard.up('Control');
  await settled(page);
  const zoomed = await until(async () => {
    const v = await view(page);
    return v.x1 - v.x0 < v.total * 0.7 && v;
  }, 'the wheel zooms');
  const pixels = (Math.abs(value(zoomed) - before) / (zoomed.x1 - zoomed.x0)) * width;
  assert.ok(pixels <= 2, `the point moved by ${pixels} px`);
  assert.equal(await page.evaluate(() => scrollY), 0);
  await page.mouse.move(x + 600, at.y);
  await page.mouse.down();
  await page.mouse.move(x + 500, at.y, { steps: 5 });
  await page.mouse.up();
  assert.ok((await view(page)).x0 > zoomed.x0, 'dragging pans');
  const strip = await page.locator('.fg-minimap').boundingBox();
  await page.mouse.move(strip.x + strip.width * 0.25, strip.y + 10);
  await page.mouse.down();
  await page.mouse.move(strip.x + strip.width * 0.5, strip.y + 10, { steps: 4 });
  await page.mouse.up();
  const window = await view(page);
  assert.ok(Math.abs(window.x0 / window.total - 0.25) < 0.02 && Math.abs(window.x1 / window.total - 0.5) < 0.02, 'the minimap sets the window');
});

test('A16 hover: exact figures, linked rows, Shift keeps the tip, bars are not redrawn', async (session) => {
  const page = await session.explore();
  const functions = await session.api('functions', { to: Date.now() });
  const box = await rect(page, 'acme.Encode');
  const { draws } = await stats(page);
  await page.mouse.move(box.x + 20, box.y + 8);
  const tip = page.getByTestId('tip');
  await tip.waitFor();
  const at = functions.names.indexOf('acme.Encode');
  const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
  const text = await tip.textContent();
  assert.ok(text.includes(grouped(functions.totals[at])), `${text} holds ${functions.totals[at]}`);
  assert.ok(text.includes(grouped(functions.self[at])), `${text} holds ${functions.self[at]}`);
  const row = page.locator('.fn-row', { hasText: /^acme\.Encode/ });
  assert.equal(await row.getAttribute('aria-selected'), 'true');
  await page.keyboard.down('Shift');
  await page.mouse.move(box.x + 20, box.y + 60);
  assert.equal(await tip.textContent(), text);
  await page.keyboard.up('Shift');
  await row.hover();
  await settled(page);
  assert.equal((await stats(page)).draws, draws);
});

test('A17 a thousand small siblings: a run that can be hovered, opened and walked', async (session) => {
  const page = await session.explore('s=checkout&view=split', { viewport: { width: 1240, height: 800 } });
  await rect(page, 'acme.fan');
  const fan = await rect(page, 'acme.fan');
  const y = fan.y + fan.height * 1.5;
  await page.mouse.move(fan.x + fan.width / 2, y);
  const text = plain(await page.getByTestId('tip').textContent());
  assert.match(text, /\d+ small frames · \d+\.\d %/);
  await page.mouse.click(fan.x + fan.width / 2, y);
  await until(async () => (await view(page)).x1 - (await view(page)).x0 < (await view(page)).total * 0.5, 'the click zooms');
  await clickFrame(page, 'acme.fan');
  await page.keyboard.press('ArrowDown');
  const seen = new Set();
  for (let i = 0; i < 30; i++) {
    seen.add((await view(page)).selected.at(-1));
    await page.keyboard.press('ArrowRight');
  }
  assert.equal(seen.size, 30);
  assert.match(await page.getByRole('treeitem').textContent(), /acme\.small\d+, total/);
});

test('A18 search: union of stacks, next match, table, bad patterns', async (session) => {
  const page = await session.explore();
  const search = page.getByTestId('search');
  const hits = page.getByTestId('hits');
  await search.fill('Encode');
  await hits.getByText('1 function ·').waitFor();
  await search.fill('/^acme\\./');
  const { matched, total } = await session.api('functions', { q: '/^acme\\./', limit: 1 });
  const percent = `${((matched.value / total) * 100).toFixed(1)} % of all`;
  await until(async () => plain(await hits.textContent()).includes(percent), `hits say ${percent}`);
  assert.ok(plain(await hits.textContent()).startsWith(`${String(matched.functions).replace(/\B(?=(\d{3})+$)/g, ',')} functions`));
  assert.ok((await tableRows(page, 20)).every((text) => text.startsWith('acme.')));
  await search.fill('/(/');
  await until(async () => (await hits.textContent()).includes('Invalid regular expression'), 'the mistake is named');
  assert.equal(await search.getAttribute('aria-invalid'), 'true');
  assert.ok((await tableRows(page, 5)).every((text) => text.startsWith('acme.')), 'the last good result stays');
  await search.fill('acme.small77');
  await page.keyboard.press('Escape');
  await search.fill('/^acme\\.small77$/');
  await hits.getByText('1 function ·').waitFor();
  await search.blur();
  await page.keyboard.press('n');
  const box = await until(async () => {
    const found = await rect(page, 'acme.small77');
    return found.width >= 4 && found;
  }, 'the match is at least 4 px wide');
  assert.ok(box.width >= 4);
});

test('A19 a small cap: exact table, honest line, one call on zoom, equal sums', async (session) => {
  const page = await session.explore('s=checkout&cap=60');
  const capped = await view(page);
  const functions = await session.api('functions', {});
  const footer = plain(await page.getByTestId('fntotal').textContent());
  assert.ok(footer.includes(`${functions.functions.toLocaleString('en')} functions, exact`), footer);
  assert.match(await page.getByTestId('lod').textContent(), /Showing [\d,]+ of [\d,]+ frames; the rest is .* opens on zoom/);
  assert.ok(!(await tableRows(page, 50)).some((text) => text.startsWith('other')));
  const frames = (await stats(page)).frames;
  const calls = watchCalls(page);
  await clickFrame(page, ['main.main', 'acme.fan']);
  await until(async () => (await stats(page)).frames > frames, 'frames are added');
  const trees = calls.filter((c) => c.call === 'tree');
  assert.equal(trees.length, 1);
  assert.deepEqual(trees[0].params.getAll('path'), ['main.main', 'acme.fan']);
  assert.equal((await view(page)).total, capped.total);
});

test('A20 the sandwich: exact, recursion counted once, re-centres, comes back', async (session) => {
  const page = await session.explore('s=checkout&view=sandwich&fn=acme.walk');
  await page.getByTestId('sandwich').getByText('recursive: yes').waitFor();
  const { names, totals } = await session.api('functions', {});
  assert.equal((await view(page)).total, totals[names.indexOf('acme.walk')]);
  await page.getByRole('button', { name: 'acme.handle', exact: true }).click();
  await until(() => page.url().includes('fn=acme.handle'), 'a caller re-centres');
  await until(async () => (await view(page)).total === totals[names.indexOf('acme.handle')], 'its total');
  await page.goBack();
  await until(async () => (await view(page)).total === totals[names.indexOf('acme.walk')], 'Back returns');
  await page.getByRole('button', { name: 'Back to flame' }).click();
  await drawn(page);
  await rect(page, 'main.main');
});
