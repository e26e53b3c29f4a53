// Builds the page in the build folder and turns it into one C++ source (see server/web_files.h).
// Usage: node embed.mjs SOURCE_DIR WORK_DIR OUTPUT.cc DEPFILE. Nothing is written into the source tree.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [source, work, output, depfile] = process.argv.slice(2);
const BUILD_INPUTS = ['package.json', 'package-lock.json', '.npmrc', 'tsconfig.json', 'build.mjs', 'src'];

const MEDIA_TYPES = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

function copySources() {
  mkdirSync(work, { recursive: true });
  rmSync(join(work, 'src'), { recursive: true, force: true });
  for (const name of BUILD_INPUTS) cpSync(join(source, name), join(work, name), { recursive: true });
}

/** npm runs only when the lock file differs from the one that node_modules was installed from. */
function installPackages() {
  const lock = readFileSync(join(work, 'package-lock.json'), 'utf8');
  const stamp = join(work, 'installed-lock.json');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });
  writeFileSync(stamp, lock);
}

/** The bytes as C++ string literals: printable ASCII as it is, the rest as three-digit octal escapes. */
function literal(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length || at === 0; at += 4096) {
    let text = '';
    for (const byte of bytes.subarray(at, at + 4096)) {
      const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c && byte !== 0x3f;
      text += plain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
    }
    lines.push(`"${text}"`);
  }
  return lines.join('\n');
}

const view = (bytes) => `std::string_view(${literal(bytes)}, ${bytes.length})`;

function entry(dist, file) {
  const read = (suffix) => readFileSync(join(dist, file.path.slice(1) + suffix));
  const media = MEDIA_TYPES[file.path.slice(file.path.lastIndexOf('.') + 1)];
  if (!media) throw new Error(`embed: no media type for ${file.path}`);
  return `    {"${file.path}", "${media}", "\\"${file.etag}\\"", ${file.immutable},\n${view(read(''))},\n${view(read('.gz'))},\n${view(read('.br'))}},\n`;
}

function sourceText(dist) {
  const files = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8'));
  return [
    '// Written by web/embed.mjs.\n#include "server/web_files.h"\n\n',
    'namespace hearth::server {\nnamespace {\n\n',
    'constexpr WebFile kFiles[] = {\n',
    ...files.map((file) => entry(dist, file)),
    '};\n\n}  // namespace\n\n',
    'std::span<const WebFile> web_files() { return kFiles; }\n\n}  // namespace hearth::server\n',
  ].join('');
}

function sourceFiles() {
  const walk = (folder) =>
    readdirSync(folder, { withFileTypes: true }).flatMap((e) =>
      e.isDirectory() ? walk(join(folder, e.name)) : [join(folder, e.name)],
    );
  return BUILD_INPUTS.flatMap((name) => (name === 'src' ? walk(join(source, name)) : [join(source, name)]));
}

copySources();
installPackages();
const dist = join(work, 'dist');
execFileSync(process.execPath, [join(work, 'build.mjs'), '--out', dist], { cwd: work, stdio: 'inherit' });
writeFileSync(output, sourceText(dist));
writeFileSync(depfile, `${output}: ${sourceFiles().sort().map((f) => f.replaceAll(' ', '\\ ')).join(' ')}\n`);
