/** The other side of the benchmark of runs: isolated-vm in a child process, with no limits, records or queues. */
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

interface FromBareChild {
  readonly call?: number
  readonly ended: number
}

/** @returns a function that has a run done in one of that many isolates, and awaits its end */
export function startBare(isolates: number) {
  const child = fork(fileURLToPath(new URL('./bare-child.js', import.meta.url)), {
    execArgv: ['--no-node-snapshot'],
    serialization: 'advanced',
  })
  const ends = new Map<number, () => void>()
  let runs = 0
  child.on('message', ({ call, ended }: FromBareChild) => {
    if (call !== undefined) child.send({ call, answer: '{"Version":"1"}' })
    else {
      ends.get(ended)?.()
      ends.delete(ended)
    }
  })
  child.send({ isolates })
  return {
    run(isolate: number, event: string, asks: boolean): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      ends.set(++runs, resolve)
      child.send({ id: runs, isolate, event, asks })
      return promise
    },
    [Symbol.dispose]: () => void child.kill(),
  }
}

export function isolatedVmVersion(): string {
  const path = createRequire(import.meta.url).resolve('isolated-vm/package.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}
