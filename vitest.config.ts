import { configDefaults, defineConfig } from 'vitest/config'

/** Those that need other servers, or kill ours many times: `npm run test:long`. */
export const longTests = [
  'test/bridge/{inbox,orthanc,own-broker,relay,servers}.test.ts',
  'test/campaign/campaign.test.ts',
  'test/crash/**/*.test.ts',
  'test/nodes/**/*.test.ts',
  'test/store/postgres*.test.ts',
]

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Minutes long: `npm run test:hostile`.
    exclude: [...configDefaults.exclude, 'test/hostile/**', ...longTests],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // No module has state of its own, so files may share what was loaded: a sixth of the time of a file was that.
    isolate: false,
    // Half of the time of a test is a wait for a process, a timer or a disk.
    maxWorkers: 4,
    maxConcurrency: 3,
    // As in bin/node24.js.
    execArgv: ['--wasm-wrapper-tiering-budget=2000000000'],
  },
})
