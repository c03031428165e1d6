/** As for the other tests: those that need other servers or kill ours many times, and the models in full. */
import { defineConfig, mergeConfig } from 'vitest/config'
import base, { longTests } from '../../vitest.config.ts'

export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      include: [...longTests, 'test/store/sqlite.model.test.ts'],
      maxWorkers: 3,
      env: { ONSTABLE_MODEL_RUNS: '1000' },
    },
  }),
)
