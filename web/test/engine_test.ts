import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bars, layoutRows } from '../src/engine/bars';
import { Camera } from '../src/engine/camera';
import { decodeTree } from '../src/engine/decode';
import { descend } from '../src/engine/descend';
import { fitName, packageOf } from '../src/engine/names';
import { HUES, INK, contrast, edgeOf } from '../src/engine/palette';
import { splice } from '../src/engine/splice';
import { FrameTree, layout } from '../src/engine/tree';
import { nameHash } from '../src/state/zoom';
import { encodeNested, type Nested } from './support/encode.mjs';

const tree = (root: Nested, header = {}): FrameTree => layout(decodeTree(encodeNested(root, header)));

const SMALL: Nested = {
  name: '',
  self: 0,
  children: [
    { name: 'main', self: 10, children: [{ name: 'serve', self: 40, children: [{ name: 'encode', self: 300 }] }, { name: 'encode', self: 50 }] },
    { name: 'gc', self: 7 },
  ],
};

/** mulberry32 */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function grow(next: () => number, depth: number): Nested {
  const wide = depth < 6 ? Math.floor(next() * 7) : 0;
  const children = Array.from({ length: wide }, (_, i) => ({ ...grow(next, depth + 1), name: `f${i}_${Math.floor(next() * 30)}` }));
  return { name: '', self: Math.floor(next() ** 6 * 5000), children };
}

test('layout gives totals, parents and positions', () => {
  const t = tree(SMALL);
  assert.deepEqual(Array.from(t.total), [407, 400, 340, 300, 50, 7]);
  assert.deepEqual(Array.from(t.start), [0, 0, 0, 0, 340, 400]);
  assert.deepEqual(Array.from(t.parent), [-1, 0, 1, 2, 1, 0]);
  assert.deepEqual(t.path(3), ['main', 'serve', 'encode']);
  assert.equal(t.maxDepth, 3);
});

test('the frame at a point is found on every level', () => {
  const t = tree(SMALL);
  assert.equal(t.nameOf(t.frameAt(1, 399)), 'main');
  assert.equal(t.nameOf(t.frameAt(1, 401)), 'gc');
  assert.equal(t.nameOf(t.frameAt(2, 341)), 'encode');
  assert.equal(t.frameAt(2, 395), -1);
  assert.equal(t.frameAt(9, 1), -1);
});

test('bars cover every frame in view exactly once, and runs hold narrow frames only', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const next = random(seed);
    const t = tree(grow(next, 0));
    if (t.total[0] === 0) continue;
    const whole = t.total[0]!;
    const x0 = next() * whole * 0.5;
    const x1 = x0 + next() * (whole - x0);
    const view = { x0, x1, scale: 300 / (x1 - x0) };
    const bars = new Bars();
    layoutRows(t, view, 0, t.maxDepth, bars);
    const seen = new Set<number>();
    for (let bar = 0; bar < bars.count; bar++) {
      for (let i = bars.first[bar]!; i <= bars.last[bar]!; i++) {
        assert.ok(!seen.has(i), 'a frame is in one bar');
        seen.add(i);
        const width = (t.x1[i]! - t.x0[i]!) * view.scale;
        if (bars.first[bar] !== bars.last[bar]) assert.ok(width < 1 + 1e-6, `a run holds a frame of ${width} px`);
      }
    }
    for (let i = 0; i < t.count; i++) {
      const visible = t.x1[i]! > x0 && t.x0[i]! < x1 && t.x1[i]! > t.x0[i]!;
      if (visible) assert.ok(seen.has(i), `seed ${seed}: frame ${i} is in no bar`);
    }
    assert.ok(bars.count <= (t.maxDepth + 1) * 2 * 300, 'the number of bars is bounded by pixels');
  }
});

test('many small frames become one bar that can be hit', () => {
  const children = Array.from({ length: 1000 }, (_, i) => ({ name: `leaf${i}`, self: 1 }));
  const t = tree({ name: '', self: 0, children: [{ name: 'parent', self: 0, children }] });
  const bars = new Bars();
  layoutRows(t, { x0: 0, x1: 1000, scale: 0.2 }, 0, 2, bars);
  const bar = bars.at(2, 100);
  assert.equal(bars.last[bar]! - bars.first[bar]! + 1, 1000);
  assert.ok(bars.isRun(bar));
  assert.equal(bars.at(2, 250), -1);
});

test('splicing a finer subtree moves nothing outside it and keeps the totals', () => {
  const fine: Nested = { name: '', self: 0, children: [{ name: 'main', self: 5, children: [{ name: 'big', self: 900 }, { name: 'small', self: 3 }, { name: 'tiny', self: 2 }] }, { name: 'other', self: 90 }] };
  const coarse = tree(fine, { min: 10 });
  assert.equal(coarse.shownFrames().foldedValue, 5);
  const main = coarse.find(['main']).node;
  const sub = decodeTree(encodeNested({ name: 'main', self: 5, children: [{ name: 'big', self: 900 }, { name: 'small', self: 3 }, { name: 'tiny', self: 2 }] }));
  const finer = splice(coarse, main, sub)!;
  const exact = tree(fine);
  assert.deepEqual(Array.from(finer.total), Array.from(exact.total));
  assert.deepEqual(Array.from(finer.start), Array.from(exact.start));
  assert.deepEqual(Array.from(finer.nodes, (n) => finer.nameOf(n)), Array.from(exact.nodes, (n) => exact.nameOf(n)));
  assert.equal(finer.shownFrames().foldedValue, 0);
});

test('a subtree of another value is refused', () => {
  const t = tree(SMALL);
  assert.equal(splice(t, 1, decodeTree(encodeNested({ name: 'main', self: 1 }))), null);
});

test('a zoom path is walked by hashes and refines where frames are folded', async () => {
  const coarse = tree({ name: '', self: 0, children: [{ name: 'main', self: 900, children: [{ name: 'hidden', self: 4 }] }] }, { min: 10 });
  const asked: number[] = [];
  const node = await descend(coarse, [nameHash('main'), nameHash('hidden')], (at) => {
    asked.push(at);
    return Promise.resolve(splice(coarse, at, decodeTree(encodeNested({ name: 'main', self: 900, children: [{ name: 'hidden', self: 4 }] }))));
  });
  assert.deepEqual(asked, [1]);
  assert.equal(node, 2);
  assert.equal(await descend(coarse, [nameHash('gone')], () => Promise.resolve(null)), 0);
});

test('the camera keeps the point under the cursor and stays inside', () => {
  const camera = new Camera(() => true);
  camera.reset(1000);
  camera.zoomAt(0.25, 4);
  assert.deepEqual(camera.target, { x0: 187.5, x1: 437.5 });
  camera.pan(-10);
  assert.equal(camera.target.x0, 0);
  camera.zoomAt(0.5, 0.001);
  assert.deepEqual(camera.target, { x0: 0, x1: 1000 });
  assert.equal(camera.zoomed, false);
});

test('names are cut in the package and keep the end of the function', () => {
  assert.deepEqual(fitName('encoding/json.Marshal', 30), { text: 'encoding/json.Marshal', muted: 14 });
  assert.equal(fitName('encoding/json.Marshal', 14).text, 'encodi…Marshal');
  assert.equal(fitName('runtime.gcBgMarkWorker', 8).text, '…kWorker');
  assert.equal(fitName('runtime.gcBgMarkWorker', 3).text, '');
});

test('packages of several languages are told from their functions', () => {
  for (const [name, pkg] of [
    ['encoding/json.(*encodeState).marshal', 'encoding/json'],
    ['github.com/acme/shop/cart.Get', 'github.com/acme/shop/cart'],
    ['runtime.mallocgc', 'runtime'],
    ['std::sync::once::Once::call_once', 'std::sync::once::Once'],
    ['java.util.HashMap.put', 'java.util.HashMap'],
    ['main', ''],
  ] as const) {
    assert.equal(packageOf(name, ''), pkg, name);
  }
});

test('labels stand out on every hue, and edges on both themes', () => {
  for (const hue of HUES) {
    assert.ok(contrast(INK, hue) >= 4.5, hue);
    assert.ok(contrast(edgeOf(hue, '#ffffff'), '#ffffff') >= 3, hue);
  }
});

test('a tree of 100,000 frames is laid out in a moment', () => {
  const next = random(5);
  const children = (depth: number, n: number): Nested[] =>
    n <= 0 ? [] : Array.from({ length: 10 }, (_, i) => ({ name: `f${depth}_${i}_${Math.floor(next() * 5000)}`, self: 1 + Math.floor(next() * 9), children: children(depth + 1, n - 1) }));
  const payload = encodeNested({ name: '', self: 0, children: children(0, 5) });
  const begun = performance.now();
  const t = layout(decodeTree(payload));
  const ms = performance.now() - begun;
  assert.ok(t.count > 100_000);
  assert.ok(ms < 1000, `${ms} ms`);
});
