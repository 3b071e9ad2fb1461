import { defineConfig } from 'vitest/config';

export default defineConfig({
  // What Node itself loads. Vite would take graphql's other build for our files, and none of its classes
  // would be the one that packages know.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // The rest of the time goes to waiting, for disks, databases and processes: vitest would take one worker on two
    // cores.
    maxWorkers: 3,
    testTimeout: 30_000,
  },
});
