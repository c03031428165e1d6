/** `node forward.ts PORT HOST PORT`: passes connections on, in whatever network it is started in. */
import { connect, createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'

/** @param at on all addresses; 0: any port that is free */
export function forward(at: number, host: string, port: number): Server {
  return createServer((from) => {
    const to = connect(port, host)
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.setNoDelay(true)
      one.on('error', () => {})
      one.on('close', () => other.destroy())
      one.pipe(other)
    }
  }).listen(at)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [at, host, port] = process.argv.slice(2)
  forward(Number(at), host!, Number(port)).once('listening', () => console.log('ready'))
}
