/** Kills the server and starts it again, as planned; what ends without that, or does not end with it, is noted. */
import { setTimeout as sleep } from 'node:timers/promises'
import { childrenOf, isRunning, type ProcessMark } from '../support/processes.ts'
import type { TestServer } from '../support/server.ts'
import type { Kill } from './plan.ts'
import type { Target } from './sending.ts'

const mostTries = 20

export interface Killer {
  /** How many kills there were so far. */
  count(): number
  /** Waits, kills, and resolves when the server answers again. */
  strike(kill: Kill): Promise<void>
  /** Notes the processes of killed servers that still run. */
  noteLeftovers(): void
}

export function createKiller({ servers, history }: Target): Killer {
  const children: ProcessMark[] = []
  let count = 0
  const killNow = async (server: TestServer) => {
    const wasGone = server.hasExited()
    children.push(...childrenOf(server.pid))
    await server.kill()
    const { code, signal } = await server.exited()
    if (wasGone || signal !== 'SIGKILL')
      history.surprises.push(`The server ended by itself (code ${code}, signal ${signal})`)
    else count += 1
  }
  const killWhileStarting = async (server: TestServer, afterMs: number) => {
    const restarted = server.restart()
    // Fails because of the kill.
    restarted.catch(() => {})
    await sleep(afterMs)
    await killNow(server)
    await restarted.catch(() => {})
  }
  return {
    count: () => count,
    async strike({ afterMs, startParts }) {
      // Which of them goes by the moment.
      const server = servers[Math.floor(afterMs) % servers.length]!
      await Promise.race([sleep(afterMs), server.exited()])
      const startMs = longestStartMs(server.lives)
      await killNow(server)
      for (const part of startParts) await killWhileStarting(server, part * startMs)
      await startAgain(server)
    },
    noteLeftovers() {
      const left = children.filter(isRunning)
      if (left.length > 0)
        history.surprises.push(
          `Processes of killed servers still run: ${left.map(({ pid }) => pid).join(', ')}`,
        )
    },
  }
}

/** As a service manager does: a server that cannot reach its database ends, and is started again. */
async function startAgain(server: TestServer): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await server.restart()
    } catch (error) {
      if (tries === mostTries || !/The database|PostgreSQL/.test(String(error))) throw error
    }
  }
}

function longestStartMs(lives: TestServer['lives']): number {
  const starts = lives.map(({ spawnedAtMs, readyAtMs }) => readyAtMs - spawnedAtMs)
  return Math.max(...starts.filter(Number.isFinite))
}
