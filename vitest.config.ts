import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // What Node itself loads. Vite would take graphql's other build for our files, and none of its classes
  // would be the one that packages know.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/patience.ts'],
    testTimeout: 30_000,
    // One process per core, which loads the program once for all of its files. What files share is modules:
    // none of ours keeps state, and what a test replaces is put back when it ends.
    isolate: false,
    maxWorkers: availableParallelism(),
    restoreMocks: true,
    expect: { poll: { timeout: 10_000, interval: 10 } },
  },
});
