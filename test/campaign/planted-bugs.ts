/** Bugs to be planted: each is another text in the place of one of the engine's. */

export type World = 'alone' | 'cluster' | 'broker'

export interface PlantedBug {
  /** What it breaks, in plain words. */
  readonly breaks: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** Where it shows: on one server (the default), on several that share a PostgreSQL, with a broker. */
  readonly world?: World
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    breaks: 'what is acknowledged is recorded',
    file: 'intake/receive.ts',
    from: 'const { isOwed, recorded } = await takenOrRemoved(arrival, store.accept(arrival, until))',
    to: 'const isOwed = true; const recorded = new Promise<void>((resolve) => setTimeout(resolve, 300)).then(async () => (await store.accept(arrival, until)).recorded)',
  },
  {
    breaks: 'a window is looked at again before it fires',
    file: 'store/sqlite/tick.ts',
    from: 'const quietAt = Math.max(quietAtOf(window), observedAt)',
    to: 'const quietAt = Math.max(window.opened_at + window.age_ms, observedAt)',
  },
  {
    breaks: 'silence is observed anew after a start',
    file: 'store/sqlite/tick.ts',
    from: 'observation.sinceMs = nowMs',
    to: 'observation.sinceMs = 0',
  },
  {
    breaks: 'a parent waits for those below it',
    file: 'store/sqlite/tick.ts',
    from: 'quietAt <= dueMs && !isHeld && below.length === 0',
    to: 'quietAt <= dueMs',
  },
  {
    breaks: 'a change makes one delivery',
    file: 'store/sqlite/follow.ts',
    from: 'insert.run(script.id',
    to: 'for (const _ of row.seq % 3 === 0 ? [1, 2] : [1]) insert.run(script.id',
  },
  {
    breaks: 'the cursor passes nothing that has no delivery',
    file: 'store/sqlite/follow.ts',
    from: 'for (const row of rows) {',
    to: 'for (const row of rows.length > 1 ? rows.slice(0, -1) : rows) {',
  },
  {
    breaks: 'nothing of a key is told past what has not ended',
    file: 'store/sqlite/lease.ts',
    from: 'where d.script = +@script and d.state = 0',
    to: 'where d.script = +@script and d.state = 4 or d.script = +@script and d.state = 0',
  },
  {
    breaks: 'a failed run is tried again',
    file: 'dispatch/tell.ts',
    from: "return { ...settlementOf(lease, 'retry', run), delayMs: next.delayMs }",
    to: "return { ...settlementOf(lease, lease.seq % 2 === 0 ? 'done' : 'retry', run), delayMs: next.delayMs }",
  },
  {
    breaks: 'what is dead is kept',
    file: 'store/sqlite/settle.ts',
    from: "'update delivery set state = ?, lease_until = null, reason = ?, ended_at = ? where id = ?'",
    to: "'delete from delivery where ? = 2 and (? is null or 1) and ? > 0 and id = ?'",
  },
  {
    breaks: 'a failed run leaves nothing in the memory of its script',
    file: 'dispatch/tell.ts',
    from: "return { ...settlementOf(lease, 'retry', run), delayMs: next.delayMs }",
    to: "return { ...settlementOf(lease, 'retry', run), delayMs: next.delayMs, keyValueWrites: histories.at(-1)!.keyValueWrites() }",
  },
  {
    breaks: 'all attempts have one idempotency key',
    file: 'store/sqlite/lease.ts',
    from: 'idempotencyKeyOf(session.epoch, { ...row, script: script.name })',
    to: '`$' + '{idempotencyKeyOf(session.epoch, { ...row, script: script.name })}-$' + '{row.attempt}`',
  },
  {
    breaks: 'the file of a deleted instance goes',
    file: 'store/sqlite/remove.ts',
    from: "session.sql('insert or ignore into trash values (?)').run(file)",
    to: "session.sql('insert or ignore into trash select ? where 0').run(file)",
  },
]

/** In the store on PostgreSQL, which is planted on two servers. */
export const plantedClusterBugs: readonly PlantedBug[] = [
  {
    breaks: 'on PostgreSQL a window is looked at again before it fires',
    file: 'store/postgres/sql/tick.sql',
    from: 'greatest(p_window.last_at + p_window.age_ms, v_observed_at)',
    to: 'greatest(p_window.opened_at + p_window.age_ms, v_observed_at)',
    world: 'cluster',
  },
  {
    breaks: 'a tick is one statement, not several of the client',
    file: 'store/postgres/windows.ts',
    from: 'export async function tick({ connections, nowMs }: Session): Promise<TickReport> {',
    to: `export async function tick({ connections, nowMs }: Session): Promise<TickReport> {
      const due = 'select resource from open_window where last_at + age_ms <= now_ms($1)'
      const found = await connections.rows<{ resource: number }>(due, [nowMs()])
      await new Promise((resolve) => setTimeout(resolve, 50))
      for (const { resource } of found) {
        const fire = "select lock_log(), fire(now_ms($1), $2, 'quiet'), number_changes() from resource where id = $2"
        await connections.rows(fire, [nowMs(), resource])
      }`,
    world: 'cluster',
  },
  {
    breaks: 'on PostgreSQL silence is observed anew after an outage',
    file: 'store/postgres/sql/tick.sql',
    from: 'or v_now - s.last_tick_at > c_gap_ms or s.server is distinct from v_server',
    to: 'or false',
    world: 'cluster',
  },
  {
    breaks: 'on PostgreSQL nothing of a key is told past what has not ended',
    file: 'store/postgres/sql/lease.sql',
    from: 'and (e.state <> 0 or e.attempt > 0))',
    to: 'and e.state = 7)',
    world: 'cluster',
  },
]

/** In the bridge to RabbitMQ. */
export const plantedBrokerBugs: readonly PlantedBug[] = [
  {
    breaks: 'silence counts only as far as announcements were followed',
    file: 'store/sqlite/tick.ts',
    from: 'const isHeld = isBehindAnnouncements(session, window)',
    to: 'const isHeld = false && isBehindAnnouncements(session, window)',
    world: 'broker',
  },
  {
    breaks: 'a message is acknowledged when it has been taken in',
    file: 'bridge/take-in.ts',
    from: '  const record = async (header: Header, remoteAet: string): Promise<TakenIn> => {',
    to: `  const record = async (header: Header, remoteAet: string): Promise<TakenIn> => {
    setTimeout(() => void recordLate(header, remoteAet), 300)
    return 'arrival'
  }
  const recordLate = async (header: Header, remoteAet: string): Promise<TakenIn> => {`,
    world: 'broker',
  },
  {
    breaks: 'the relay goes on when the broker has confirmed',
    file: 'bridge/relay.ts',
    from: 'const ends = await unlessAborted(Promise.allSettled(confirmed), signal)',
    to: `void Promise.allSettled(confirmed)
    const ends = confirmed.map(() => ({ status: 'fulfilled' as string }))`,
    world: 'broker',
  },
  {
    breaks: 'a command is carried out once',
    file: 'store/sqlite/command.ts',
    from: `return 'repeated'`,
    to: `return carryOut(session, what)`,
    world: 'broker',
  },
  {
    breaks: 'a command comes after what was sent before it',
    file: 'bridge/take-in.ts',
    from: `        await before
        signal.throwIfAborted()
        const result`,
    to: '        const result',
    world: 'broker',
  },
]

/** Nothing is planted: what is found in that copy is no proof of anything. */
export const noBug: PlantedBug = { breaks: 'nothing', file: 'main.ts', from: '', to: '' }
