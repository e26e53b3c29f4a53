// Bundles the unit tests with esbuild and runs them with node --test: node test/run.mjs [name…].
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const names = readdirSync(here).filter((name) => name.endsWith('_test.ts') && (wanted.length === 0 || wanted.some((w) => name.includes(w))));
const out = mkdtempSync(join(tmpdir(), 'hearth-web-test-'));
await esbuild.build({
  absWorkingDir: join(here, '..'),
  entryPoints: names.map((name) => join(here, name)),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node18',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning',
  define: { GOLDEN_DIR: JSON.stringify(join(here, '../../tests/golden/tree')) },
});
const files = names.map((name) => join(out, name.replace(/\.ts$/, '.mjs')));
const { status } = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' });
rmSync(out, { recursive: true });
process.exit(status ?? 1);
