// Builds the page script (global and ES module), its parts and the service worker, for npm and for the server to serve.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { build } from 'esbuild';

const OUT = new URL('dist/', import.meta.url);
const SERVED = new URL('../src/tidings/web/static/sdk/', import.meta.url);

const { version } = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'));

// Loaded with import() when they are first used, so they are ES modules in both ways of delivery.
const PARTS = { banner: 'src/page/banner/index.ts', check: 'src/page/check/index.ts', panels: 'src/page/panels/index.ts' };

/** In the ES module the parts stay files of their own, beside it. */
const partsBeside = {
  name: 'parts-beside',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/(banner|check|panels)\/index\.ts$/ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path: `./${path.split('/')[1]}.js`, external: true } : undefined,
    );
  },
};

async function bundle(file, entry, format, { parts = null, plugins = [] } = {}) {
  await build({
    entryPoints: [new URL(entry, import.meta.url).pathname],
    outfile: new URL(file, OUT).pathname,
    format,
    bundle: true,
    minify: true,
    tsconfigRaw: { compilerOptions: { alwaysStrict: false, useDefineForClassFields: false, verbatimModuleSyntax: true } },
    // Old browsers must be able to read the script, to be told that they are unsupported.
    target: 'es2020',
    charset: 'utf8',
    legalComments: 'none',
    banner: { js: `/* tidings-web ${version}, MIT */` },
    define: { __VERSION__: JSON.stringify(version), __SERVED__: String(parts !== null), __PARTS__: JSON.stringify(parts) },
    plugins,
  });
  await copyFile(new URL(file, OUT), new URL(file, SERVED));
}

await mkdir(SERVED, { recursive: true });
// Part of their addresses: browsers may keep the parts for ever, and an update gets through all the same. One for all of
// them: sdk.js has no byte to give away.
const together = createHash('sha256');
for (const [name, entry] of Object.entries(PARTS)) {
  await bundle(`${name}.js`, entry, 'esm');
  const content = await readFile(new URL(`${name}.js`, OUT));
  together.update(content);
}
await bundle('sdk.js', 'src/page/global.ts', 'iife', { parts: together.digest('hex').slice(0, 10) });
await bundle('sdk.mjs', 'src/page/index.ts', 'esm', { plugins: [partsBeside] });
// A classic script: browsers import it into a site's own worker with importScripts(). The module is for `import`.
await bundle('service-worker.js', 'src/worker/index.ts', 'iife');
await bundle('service-worker.mjs', 'src/worker/index.ts', 'esm');
