// Builds the page script (global and ES module) and the service worker, for npm and for the server to serve.
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { build } from 'esbuild';

const OUT = new URL('dist/', import.meta.url);
const SERVED = new URL('../src/tidings/web/static/sdk/', import.meta.url);

const { version } = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'));

const outputs = [
  { file: 'sdk.js', entry: 'src/page/global.ts', format: 'iife' },
  { file: 'sdk.mjs', entry: 'src/page/index.ts', format: 'esm' },
  // A classic script: browsers import it into a site's own worker with importScripts().
  { file: 'service-worker.js', entry: 'src/worker/index.ts', format: 'iife' },
];

await mkdir(SERVED, { recursive: true });
for (const { file, entry, format } of outputs) {
  await build({
    entryPoints: [new URL(entry, import.meta.url).pathname],
    outfile: new URL(file, OUT).pathname,
    format,
    bundle: true,
    minify: true,
    // Old browsers must be able to read the script, to be told that they are unsupported.
    target: 'es2020',
    charset: 'utf8',
    legalComments: 'none',
    banner: { js: `/* tidings-web ${version}, MIT */` },
    define: { __VERSION__: JSON.stringify(version) },
  });
  await copyFile(new URL(file, OUT), new URL(file, SERVED));
}
