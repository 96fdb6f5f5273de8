// Packs the package as npm would, and lets publint and attw look at what others would install.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const HERE = fileURLToPath(new URL('.', import.meta.url));
// Loaded with a script tag or importScripts(): they have no types, and nobody imports a name of them.
const SCRIPTS = ['./sdk.js', './service-worker.js', './service-worker.mjs'];

function run(...command) {
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: HERE, encoding: 'utf8' });
  if (status !== 0) console.error(stdout + stderr);
  return { ok: status === 0, stdout };
}

const folder = await mkdtemp(join(tmpdir(), 'tidings-web-'));
try {
  const packed = run(process.env.npm_execpath, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder);
  if (!packed.ok) process.exit(1);
  const tarball = join(folder, JSON.parse(packed.stdout)[0].filename);
  const content = await readFile(tarball);
  const { messages, pkg } = await publint({
    pack: { tarball: content.buffer.slice(content.byteOffset, content.byteOffset + content.length) },
    strict: true,
  });
  for (const message of messages) console.error(`publint: ${formatMessage(message, pkg)}`);
  // Browsers and bundlers alone use it, so it has no CommonJS.
  const attw = run('node_modules/@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only', '--no-emoji', '--exclude-entrypoints', ...SCRIPTS);
  process.exitCode = messages.length === 0 && attw.ok ? 0 : 1;
} finally {
  await rm(folder, { recursive: true });
}
