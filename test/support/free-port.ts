/**
 * A TCP port of the loopback that nothing listens on, outside the range that the system hands out by itself. None is
 * given twice, also not to another worker: its server may be about to start again.
 */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const [first, last] = [20_000, 32_000]
/** More than there are workers. */
const shares = 16

const given = new Set<number>()

export async function freePort(): Promise<number> {
  const share = Number(process.env.VITEST_POOL_ID ?? 0) % shares
  for (;;) {
    const port = first + shares * randomInt(0, (last - first) / shares) + share
    if (given.has(port)) continue
    given.add(port)
    if (await canListen(port)) return port
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
