// Bundles the page into an output folder: hashed files under assets/, index.html, and gzip and brotli forms of each.
// Usage: node build.mjs [--out DIR] [--watch]. The result depends on the sources and package-lock.json only.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';

const root = dirname(fileURLToPath(import.meta.url));
const argument = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const out = argument('--out', join(root, 'dist'));

const shared = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  target: 'es2022',
  outdir: out,
  entryNames: 'assets/[name]-[hash]',
  chunkNames: 'assets/[name]-[hash]',
  assetNames: 'assets/[name]-[hash]',
  metafile: true,
  legalComments: 'none',
  logLevel: 'warning',
};

/** The hashed output path of an entry point, relative to the output folder. */
function outputOf(results, entry) {
  for (const { metafile } of results) {
    for (const [file, info] of Object.entries(metafile.outputs)) {
      if (info.entryPoint === entry) return relative(out, join(root, file)).replaceAll('\\', '/');
    }
  }
  throw new Error(`build: no output for ${entry}`);
}

/** Chunks that the first paint of every page needs, so that they load next to the entry and not after it. */
function staticImports(result, entry) {
  const file = Object.keys(result.metafile.outputs).find((f) => result.metafile.outputs[f].entryPoint === entry);
  return result.metafile.outputs[file].imports
    .filter((i) => i.kind === 'import-statement')
    .map((i) => relative(out, join(root, i.path)).replaceAll('\\', '/'));
}

function writeIndex(results) {
  const preload = staticImports(results[0], 'src/ui/main.tsx')
    .map((path) => `<link rel="modulepreload" href="/${path}">\n`)
    .join('');
  const html = readFileSync(join(root, 'src/index.html'), 'utf8')
    .replace('%THEME%', () => `/${outputOf(results, 'src/theme.ts')}`)
    .replace('%STYLE%', () => `/${outputOf(results, 'src/styles/main.css')}`)
    .replace('%MAIN%', () => `/${outputOf(results, 'src/ui/main.tsx')}`)
    .replace('%WORKER%', () => `/${outputOf(results, 'src/engine/decode_worker.ts')}`)
    .replace('%PRELOAD%\n', () => preload);
  writeFileSync(join(out, 'index.html'), html);
}

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

/** Node writes gzip with mtime 0; the byte that names the operating system is fixed here. */
function gzip(data) {
  const packed = gzipSync(data, { level: 9 });
  packed[9] = 3;
  return packed;
}

function compressAll() {
  for (const file of filesUnder(out)) {
    const data = readFileSync(file);
    writeFileSync(`${file}.gz`, gzip(data));
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
    };
    writeFileSync(`${file}.br`, brotliCompressSync(data, { params }));
  }
}

/** What the embedder needs to know: path, ETag and cache class of each file. */
function writeManifest() {
  const files = filesUnder(out)
    .filter((file) => !/\.(gz|br)$/.test(file))
    .map((file) => {
      const path = `/${relative(out, file).replaceAll('\\', '/')}`;
      const etag = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16);
      return { path, etag, immutable: path.startsWith('/assets/') };
    });
  writeFileSync(join(out, 'manifest.json'), `${JSON.stringify(files, null, 1)}\n`);
}

async function buildAll() {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const page = await esbuild.build({
    ...shared,
    entryPoints: ['src/ui/main.tsx'],
    format: 'esm',
    splitting: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  const rest = await esbuild.build({
    ...shared,
    entryPoints: ['src/theme.ts', 'src/engine/decode_worker.ts', 'src/styles/main.css'],
    format: 'iife',
    loader: { '.svg': 'file' },
  });
  const favicon = readFileSync(join(root, 'src/favicon.svg'));
  writeFileSync(join(out, 'favicon.svg'), favicon);
  writeIndex([page, rest]);
  compressAll();
  writeManifest();
  if (process.argv.includes('--metafile')) writeFileSync(argument('--metafile'), JSON.stringify(page.metafile));
}

/** Builds again after every change; esbuild looks for changes, because Node 18 cannot watch folders on Linux. */
async function watchSources() {
  let first = true;
  const rebuild = {
    name: 'rebuild',
    setup: (build) => {
      build.onEnd(async ({ errors }) => {
        if (!first && errors.length === 0) await buildAll();
        first = false;
      });
    },
  };
  const entryPoints = ['src/ui/main.tsx', 'src/theme.ts', 'src/engine/decode_worker.ts', 'src/styles/main.css'];
  const context = await esbuild.context({ ...shared, entryPoints, format: 'esm', write: false, jsx: 'automatic', jsxImportSource: 'preact', plugins: [rebuild] });
  await context.watch();
  console.log(`watching src, writing ${out}`);
}

await buildAll();
if (process.argv.includes('--watch')) await watchSources();
