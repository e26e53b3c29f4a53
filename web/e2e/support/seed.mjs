// A fixed fleet through /ingest: 3 services, CPU and live bytes, 3 regions, 2 versions, the last hour, one profile a minute.
// checkout has a recursive acme.walk at 3 sites, a fan of 1,000 siblings of 0.05 % and a long tail below a 4096th.

export const SERVICES = ['checkout', 'search', 'cart'];
export const REGIONS = ['eu', 'us', 'ap'];
export const VERSIONS = ['2.4.0', '2.4.1'];
export const MINUTES = 60;
export const CPU = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds';

const FAN = 1000;
const TAIL = 500;

/** Stacks of one profile as folded text; `size` scales the values. */
function stacks(service, version, size) {
  const lines = [];
  const add = (path, value) => lines.push(`${path} ${Math.max(1, Math.round(value * size))}`);
  const slow = version === '2.4.1' ? 1.66 : 1;
  add('main.main;acme.handle;acme.Encode;encoding/json.Marshal', 900 * slow);
  add('main.main;acme.handle;acme.Encode;encoding/json.Marshal;runtime.mallocgc', 300 * slow);
  add('main.main;acme.handle;acme.Encode', 200 * slow);
  add('main.main;acme.handle;acme.walk;acme.walk;acme.leaf', 150);
  add('main.main;acme.walk;acme.walk;acme.walk;acme.leaf', 250);
  add('main.main;acme.handle;acme.query;acme.walk;acme.leaf', 100);
  add('main.main;acme.handle;acme.query;database/sql.(*DB).Query', 400);
  add('runtime.gcBgMarkWorker;runtime.scanobject', 350);
  if (service === 'checkout') {
    for (let i = 0; i < FAN; i++) add(`main.main;acme.fan;acme.small${i}`, 2);
    for (let i = 0; i < TAIL; i++) add(`main.main;acme.tail;acme.rare;acme.tiny${i}`, 0.4);
    add('main.main;acme.tail;acme.rare', 100);
  } else {
    add(`main.main;${service}.run;${service}.loop`, 700);
  }
  return `${lines.join('\n')}\n`;
}

async function push(base, name, at, body) {
  const query = new URLSearchParams({ name, from: String(at), until: String(at + 10), format: 'folded' });
  const response = await fetch(`${base}/ingest?${query}`, { method: 'POST', body });
  if (response.status !== 200) throw new Error(`seed ${name}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

export const pushOne = (base, service) => push(base, `${service}{region=eu,version=2.4.0}`, Math.floor(Date.now() / 1000) - 5, stacks(service, '2.4.0', 1));

/** Seeds the hour before `now` (seconds). */
export async function seed(base, now = Math.floor(Date.now() / 1000)) {
  const jobs = [];
  SERVICES.forEach((service, s) => {
    REGIONS.forEach((region, r) => {
      VERSIONS.forEach((version) => {
        const size = (3 - s) / (r + 1);
        const labels = `{region=${region},version=${version}}`;
        const body = stacks(service, version, size);
        for (let minute = 1; minute <= MINUTES; minute++) jobs.push([`${service}${labels}`, now - minute * 60 + 20, body]);
        if (service !== 'cart') jobs.push([`${service}.inuse_space${labels}`, now - 90, stacks(service, version, size * 1000)]);
      });
    });
  });
  const lanes = Array.from({ length: 8 }, async () => {
    for (let job = jobs.pop(); job; job = jobs.pop()) await push(base, ...job);
  });
  await Promise.all(lanes);
}
