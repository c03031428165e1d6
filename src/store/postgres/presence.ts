/**
 * That this server is there: a connection of its own holds its name, as long as the server lives, and hears what the
 * others have done.
 */
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { fault } from '../../errors.ts'
import type { Hint } from '../store.ts'
import { type ConnectionOptions, connectionConfig, refused } from './connections.ts'

/** How long the connection of a server of this name that has just ended may live on. */
const mostWaitMs = 20_000
/** The own connection of before may live on for as long. */
const takenAfterMs = 30_000
const retryMs = 500

/** By the name of its connections the server is known. */
export interface PresenceOptions extends ConnectionOptions {
  readonly epoch: string
  /** Another server has the name now: this one must not go on. */
  readonly onTaken: () => void
}

export class Presence {
  readonly #options: PresenceOptions
  readonly #listeners: ((hint: Hint) => void)[] = []
  #client: pg.Client | null = null
  #isClosed = false
  #connecting: Promise<void> = Promise.resolve()

  /** @throws `bad-setting` if another server has this name */
  static async open(options: PresenceOptions): Promise<Presence> {
    const presence = new Presence(options)
    const until = performance.now() + mostWaitMs
    while (!(await presence.#connect())) {
      if (performance.now() > until) {
        throw fault(
          'bad-setting',
          `Another server of this database is called "${options.name}": give each a name of its own with "--node"`,
        )
      }
      await wait(retryMs)
    }
    return presence
  }

  private constructor(options: PresenceOptions) {
    this.#options = options
  }

  onHint(listener: (hint: Hint) => void): void {
    this.#listeners.push(listener)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#connecting
    await this.#client?.end().catch(() => {})
  }

  /** False: the name is somebody else's. */
  async #connect(): Promise<boolean> {
    const { name, epoch } = this.#options
    const client = new pg.Client(connectionConfig(this.#options))
    client.on('error', () => {})
    try {
      await client.connect()
      const { rows } = await client.query<{ isOurs: boolean }>('select try_hold_name($1) as "isOurs"', [name])
      if (!rows[0]!.isOurs) {
        await client.end()
        return false
      }
      await client.query(`listen "onstable_${epoch}"`)
    } catch (cause) {
      await client.end().catch(() => {})
      throw refused(cause)
    }
    client.on('notification', ({ payload }) => {
      if (payload === 'log' || payload === 'state') for (const listener of this.#listeners) listener(payload)
    })
    client.on('end', () => {
      if (!this.#isClosed) this.#connecting = this.#connectAgain()
    })
    this.#client = client
    return true
  }

  /** Whoever asks from time to time misses nothing meanwhile. */
  async #connectAgain(): Promise<void> {
    let takenSince: number | null = null
    while (!this.#isClosed) {
      // Null: the database does not answer.
      const isOurs = await this.#connect().catch(() => null)
      if (isOurs === true) return
      takenSince = isOurs === false ? (takenSince ?? performance.now()) : null
      if (takenSince !== null && performance.now() - takenSince > takenAfterMs) return this.#options.onTaken()
      await wait(retryMs)
    }
  }
}
