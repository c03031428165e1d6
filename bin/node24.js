#!/usr/bin/env node
// Runs a file with the Node that this package carries, whatever Node is on the PATH.
// Plain JavaScript that an old Node understands: it has to say what is wrong there.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const carried = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))

// Node strips types with WebAssembly. When its wrappers are compiled anew after many calls, the old ones are freed,
// and with threads that come and go V8 loses count of them and ends the process ("Check failed:
// jit_page.has_value()", https://github.com/nodejs/node/issues/64500). With so many calls allowed, they never are.
const v8Flags = ['--wasm-wrapper-tiering-budget=2000000000']

// What Node makes of the files at the first start, types stripped and compiled, is kept for the next.
const compileCache = fileURLToPath(new URL('../node_modules/.cache/onstable', import.meta.url))

/**
 * Starts `file` under the carried Node, with this process's streams, and ends as it ends.
 * @param {string} file path of the JavaScript or TypeScript file
 * @param {string[]} parameters what follows it on the command line
 */
export function runWithNode24(file, parameters) {
  const own = Number(process.versions.node.split('.')[0])
  if (!existsSync(carried) && own !== 24) {
    console.error(
      `onstable: Node 24 is not installed beside this package (this is Node ${process.versions.node}): ` +
        'run "npm ci" and let the install script of the package "node" run',
    )
    process.exit(1)
  }
  const program = existsSync(carried) ? carried : process.execPath
  const env = { NODE_COMPILE_CACHE: compileCache, ...process.env }
  const child = spawn(program, [...v8Flags, file, ...parameters], { env, stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`onstable: cannot start Node 24 at "${carried}": ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  const [file, ...parameters] = process.argv.slice(2)
  runWithNode24(file ?? '', parameters)
}
