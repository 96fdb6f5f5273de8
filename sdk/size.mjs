// Fails when a script that visitors download has outgrown its limit.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const PAGE = 6_144;
const WORKER = 3_072;
const BANNER = 16_384;
const CHECK = 6_144;
const PANELS = 16_384;
const LIMITS = {
  'sdk.js': PAGE,
  'sdk.mjs': PAGE,
  'service-worker.js': WORKER,
  'service-worker.mjs': WORKER,
  'banner.js': BANNER,
  'check.js': CHECK,
  'panels.js': PANELS,
};

for (const [file, limit] of Object.entries(LIMITS)) {
  const source = await readFile(new URL(`dist/${file}`, import.meta.url)).catch(() => null);
  if (source === null) {
    console.error(`${file} is not built. Run \`npm run build\` first.`);
    process.exitCode = 1;
    continue;
  }
  const size = gzipSync(source, { level: 9 }).length;
  const verdict = size <= limit ? 'ok' : `too large by ${size - limit} bytes`;
  console.log(`${file.padEnd(18)} ${String(source.length).padStart(6)} bytes, ${String(size).padStart(5)} gzipped, limit ${limit}: ${verdict}`);
  if (size > limit) process.exitCode = 1;
}
