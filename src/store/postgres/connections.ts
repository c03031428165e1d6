/**
 * The connections to PostgreSQL: functions of the store are called, one statement each. What lost to another node is
 * done again; a peer that does not answer is given up.
 */
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { fault, messageOf, OnStableError } from '../../errors.ts'

export interface ConnectionOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string
  /** Where the functions are looked for, then the tables. */
  readonly schemas: readonly string[]
  /** What the server calls these connections. */
  readonly name: string
}

const mostConnections = 8
/** How long a statement may take on the server. */
const statementMs = 30_000
/** How long an answer is waited for: a connection may be half open. */
const answerMs = 35_000
const connectMs = 5_000
const mostTries = 8
/** Lost to another: serialization, deadlock, and a row that was deleted or made meanwhile. */
const isLost = (code: unknown) => code === '40001' || code === '40P01' || code === '23503' || code === '23505'

const int8 = pg.types.builtins.INT8
const types: pg.CustomTypesConfig = {
  // Numbers of rows and milliseconds are exact in a double; what is JSON in the rows is text.
  getTypeParser: (oid: number) => (oid === int8 ? Number : pg.types.getTypeParser(oid)),
}

/** Half-open connections are given up by both sides; statements are short, and planned once. */
const settings = {
  // A plan that was made while a table was small is kept while it grows.
  enable_seqscan: 'off',
  jit: 'off',
  tcp_keepalives_idle: 5,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 3,
  tcp_user_timeout: 15_000,
}

export function connectionConfig({ url, schemas, name }: ConnectionOptions): pg.ClientConfig {
  const path = schemas.map((schema) => `"${schema}"`).join()
  const options = Object.entries({ ...settings, search_path: path }).map(
    ([name, value]) => `-c ${name}=${value}`,
  )
  return {
    connectionString: url,
    types,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    connectionTimeoutMillis: connectMs,
    query_timeout: answerMs,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: statementMs,
    application_name: name,
    options: options.join(' '),
  }
}

export class Connections {
  readonly #pool: pg.Pool

  constructor(options: ConnectionOptions) {
    this.#pool = new pg.Pool({ ...connectionConfig(options), max: mostConnections })
    // Of one that is idle: the next call takes another.
    this.#pool.on('error', () => {})
  }

  /** The rows of a function of the store, or of any other statement. */
  async rows<Row extends object>(text: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    for (let tries = 1; ; tries++) {
      try {
        // A name has it planned once on each connection.
        return (await this.#pool.query<Row>({ text, values: [...parameters] })).rows
      } catch (cause) {
        if (!isLost((cause as { code?: unknown }).code) || tries === mostTries) throw refused(cause)
        await wait(Math.random() * 10 * 2 ** tries)
      }
    }
  }

  /** What a function returns that returns one value. */
  async value<Value>(name: string, ...parameters: unknown[]): Promise<Value> {
    const places = parameters.map((_, at) => `$${at + 1}`).join()
    const [row] = await this.rows<{ value: Value }>(`select ${name}(${places}) as value`, parameters)
    return row!.value
  }

  /** Several statements in one transaction on one connection. */
  async transaction<Result>(run: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect().catch((cause) => {
      throw refused(cause)
    })
    let failed: Error | undefined
    try {
      await client.query('begin')
      const result = await run(client)
      await client.query('commit')
      return result
    } catch (cause) {
      failed = cause as Error
      throw refused(cause)
    } finally {
      // A connection whose transaction failed is not used again.
      client.release(failed)
    }
  }

  close(): Promise<void> {
    return this.#pool.end()
  }
}

/** The server is not there, or goes: not what was asked is wrong. */
const isAway = (cause: unknown): boolean => {
  const code = String((cause as { code?: unknown }).code ?? '')
  // Stopped, cut off, short of something, failing, or only a copy that may not write.
  return (
    /^(57P\w\w|08\w{3}|53\w{3}|58\w{3}|25006|E[A-Z]+)$/.test(code) ||
    /timeout|terminated/i.test(messageOf(cause))
  )
}

/** No room on its disk. */
const isFull = (cause: unknown): boolean => (cause as { code?: unknown }).code === '53100'

export function refused(cause: unknown): Error {
  if (cause instanceof OnStableError) return cause
  if (isFull(cause)) {
    return fault('storage-full', `PostgreSQL cannot write: ${messageOf(cause)}; free some space`, { cause })
  }
  if (isAway(cause)) {
    return fault('store-away', `PostgreSQL does not answer: ${messageOf(cause)}; try again later`, { cause })
  }
  if (isLost((cause as { code?: unknown }).code))
    return fault('store-away', `PostgreSQL is too busy: ${messageOf(cause)}; try again later`, { cause })
  if ((cause as { code?: unknown }).code === '22021')
    return fault('bad-request', 'Text with a zero byte in it names nothing', { cause })
  return fault('internal', `PostgreSQL refused an operation: ${messageOf(cause)}`, { cause })
}
