import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The build of graphql that Node itself loads. Vite would load its other build for our files, and its
  // classes would differ from those that packages use.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/wait-default.ts'],
    // Only for what never ends: on a busy machine, everything takes several times as long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // One process more than there are cores, since tests wait for servers a quarter of the time. Each loads the program
    // once for all of its test files. Test files share modules: none of ours keeps state, and mocks are restored at the
    // end of each test.
    isolate: false,
    maxWorkers: availableParallelism() + 1,
    restoreMocks: true,
    expect: { poll: { timeout: 60_000, interval: 10 } },
  },
});
