#!/usr/bin/env node
// The command `onstable`: hands over to src/main.ts under the Node that this package carries.
import { fileURLToPath } from 'node:url'
import { runWithNode24 } from './node24.js'

runWithNode24(fileURLToPath(new URL('../src/main.ts', import.meta.url)), process.argv.slice(2))
