import { defineConfig } from 'vitest/config';

export default defineConfig({
  define: { __VERSION__: JSON.stringify('0.0.0-test'), __SERVED__: 'false', __PARTS__: 'null' },
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    // A busy machine may take its time; a test that hangs is found all the same.
    testTimeout: 60_000,
    restoreMocks: true,
    unstubGlobals: true,
    // The machine of a contributor may be small, and the suite takes seconds either way.
    maxWorkers: 2,
  },
});
