import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{suites,oracle,generators,vm,harness,reports}/**/*.test.ts'],
    // Installs what a run needs and fetches the kernel before the first test.
    globalSetup: ['harness/testing/global-setup.ts'],
    // Many tests boot a kernel, without hardware virtualisation where there is none.
    testTimeout: 60_000,
    hookTimeout: 300_000,
    teardownTimeout: 30_000,
    // Each file may have guests of its own.
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: ['oracle/**/*.ts'],
      exclude: ['**/*.test.ts', '**/testing/**'],
      reporter: ['text-summary', 'json-summary', 'html'],
      reportsDirectory: 'coverage',
      thresholds: { branches: 98 },
    },
  },
});
