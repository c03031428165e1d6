/** Descriptors that whoever starts the server has left open in it. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const source = fileURLToPath(new URL('../../src/lib/inherited-descriptors.ts', import.meta.url))
const program = `
  import { existsSync } from 'node:fs'
  import { closeInheritedDescriptors } from ${JSON.stringify(source)}
  const before = existsSync('/proc/self/fd/200')
  closeInheritedDescriptors()
  console.log(before, existsSync('/proc/self/fd/200'), existsSync('/proc/self/fd/2'))`

it.runIf(existsSync('/proc/self/fdinfo'))('are closed, but for the three that every program has', () => {
  const parameters = [process.execPath, '--no-warnings', '--input-type=module', '-e', program]
  const output = execFileSync('bash', ['-c', 'exec 200</dev/null; exec "$@"', '-', ...parameters])
  expect(output.toString()).toBe('true false true\n')
})
