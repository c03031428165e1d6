import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Minutes long: `npm run test:hostile`.
    exclude: [...configDefaults.exclude, 'test/hostile/**'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 3,
    maxConcurrency: 3,
    // As in bin/node24.js.
    execArgv: ['--wasm-wrapper-tiering-budget=2000000000'],
  },
})
