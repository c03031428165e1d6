/** As for the other tests; but one file, one server, and as long as it takes. */
import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: [] } },
  defineConfig({ test: { include: ['test/hostile/**/*.test.ts'] } }),
)
