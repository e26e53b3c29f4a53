// Size gate of the built page: node size.mjs [DIR]. Budgets are gzip bytes of all files of a kind.
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const KB = 1024;
const folder = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), 'dist');
const budgets = { js: 90 * KB, css: 12 * KB };
let over = false;
for (const [kind, budget] of Object.entries(budgets)) {
  const files = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith(`.${kind}.gz`));
  const bytes = files.reduce((sum, name) => sum + statSync(join(folder, 'assets', name)).size, 0);
  over ||= files.length === 0 || bytes > budget;
  console.log(`${kind}: ${(bytes / KB).toFixed(1)} KB gzip in ${files.length} files, budget ${budget / KB} KB`);
}
if (over) {
  console.error('size: over budget (or nothing built)');
  process.exit(1);
}
