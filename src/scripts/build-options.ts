/** What every build for an isolate has in common. */
import type { BuildOptions } from 'esbuild'

export const forIsolates = {
  write: false,
  bundle: true,
  platform: 'neutral',
  target: 'es2023',
  mainFields: ['module', 'main'],
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'silent',
} as const satisfies BuildOptions
