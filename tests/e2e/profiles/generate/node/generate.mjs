// Wall and heap profiles of a small Node program: npm install && node generate.mjs ../..
import { writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import pprof from '@datadog/pprof';

const dir = process.argv[2];
function busy(ms) {
  const end = Date.now() + ms;
  let kept = [];
  while (Date.now() < end) {
    const text = JSON.stringify({ at: Date.now(), list: Array.from({ length: 200 }, (_, i) => `item ${i}`) });
    createHash('sha256').update(gzipSync(text)).digest('hex');
    kept.push(JSON.parse(text));
    if (kept.length > 500) kept = [];
  }
  return kept;
}

pprof.heap.start(64 * 1024, 64);
pprof.time.start({ intervalMicros: 4000, durationMillis: 1500 });
const keep = busy(1500);
const wall = pprof.time.stop(false);
writeFileSync(`${dir}/node-wall.pb.gz`, await pprof.encode(wall));
writeFileSync(`${dir}/node-heap.pb.gz`, await pprof.encode(pprof.heap.profile()));
pprof.heap.stop();
console.log(keep.length);
