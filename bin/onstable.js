#!/bin/sh
':' //; bin=$(dirname "$(readlink -f "$0")"); node="$bin/../node_modules/node/bin/node"
':' //; NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$bin/../node_modules/.cache/onstable}"; export NODE_COMPILE_CACHE
':' //; [ -x "$node" ] && exec "$node" --wasm-wrapper-tiering-budget=2000000000 "$bin/../src/main.ts" "$@"
':' //; exec node "$0" "$@"
// The command `onstable`: src/main.ts under the Node that this package carries. A shell reads the lines above and
// becomes that process; as JavaScript they are nothing. Run by a Node, or where no Node is carried, the rest does
// the same with a process more.
import { fileURLToPath } from 'node:url'
import { runWithNode24 } from './node24.js'

runWithNode24(fileURLToPath(new URL('../src/main.ts', import.meta.url)), process.argv.slice(2))
