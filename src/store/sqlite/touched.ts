/**
 * What the arrivals of one transaction have in common: their parents, looked up once, and what each of them
 * would write to those again and again: counts, times and windows, which are written once, at the end.
 */
import type { ParentLevel } from '../../dicom/dicom.ts'
import { levelOf } from '../numbers.ts'
import type { Age, Origin } from '../store.ts'
import { type ParentFacts, parentRow } from './parents.ts'
import type { ResourceRow } from './rows.ts'
import type { Session } from './session.ts'
import { touchWindow } from './windows.ts'

export interface Parent {
  readonly row: ResourceRow
  /** This arrival is the first of it. */
  readonly isNew: boolean
}

interface Touch {
  readonly row: ResourceRow
  readonly firstMs: number
  lastMs: number
  age: Age
  arrivals: number
  elsewhere: boolean
  readonly origins: Set<number>
}

export class Touched {
  readonly #session: Session
  readonly #rows = new Map<string, ResourceRow>()
  readonly #origins = new Map<string, number>()
  readonly #touches = new Map<number, Touch>()

  constructor(session: Session) {
    this.#session = session
  }

  /** The row of a patient, study or series; it is made if there is none. */
  parent(level: ParentLevel, id: string, above: ResourceRow | null, facts: ParentFacts): Parent {
    const key = `${level} ${id}`
    const known = this.#rows.get(key)
    if (known !== undefined) return { row: known, isNew: false }
    const parent = parentRow(this.#session, level, id, above?.id ?? null, facts)
    this.#rows.set(key, parent.row)
    return parent
  }

  /** The row of an origin; it is made if there is none. */
  origin(origin: Origin): number {
    const facts = JSON.stringify(origin)
    const id = this.#origins.get(facts) ?? originRow(this.#session, facts)
    this.#origins.set(facts, id)
    return id
  }

  /** An instance arrived below this resource: its window opens, or moves on; the longest age counts. */
  touch({ row }: Parent, age: Age, origin: number, elsewhere: boolean): void {
    const { nowMs } = this.#session
    const touch = this.#touches.get(row.id)
    if (touch === undefined) {
      const origins = new Set([origin])
      this.#touches.set(row.id, { row, firstMs: nowMs, lastMs: nowMs, age, arrivals: 1, elsewhere, origins })
      return
    }
    touch.lastMs = nowMs
    touch.age = {
      ageMs: Math.max(touch.age.ageMs, age.ageMs),
      maxWaitMs: shorter(touch.age.maxWaitMs, age.maxWaitMs),
    }
    touch.arrivals++
    touch.elsewhere ||= elsewhere
    touch.origins.add(origin)
  }

  /** The instances of a series, with those of this transaction. */
  instancesOf({ row }: Parent): number {
    return row.instance_count + (this.#touches.get(row.id)?.arrivals ?? 0)
  }

  /** Writes what was touched, and forgets all: afterwards anything may be changed or deleted. */
  write(): void {
    for (const { row, age, firstMs, lastMs, arrivals, elsewhere, origins } of this.#touches.values()) {
      const level = levelOf(row.level) as ParentLevel
      if (level === 'Series') {
        countArrivals(this.#session, row.id, { firstMs, lastMs, arrivals })
        const statement = this.#session.sql('insert or ignore into series_origin values (?, ?)')
        for (const origin of origins) statement.run(row.id, origin)
      } else if (lastMs !== row.updated_at) {
        this.#session.sql('update resource set updated_at = ? where id = ?').run(lastMs, row.id)
      }
      touchWindow(this.#session, { level, resource: row.id, age, firstMs, lastMs, elsewhere })
    }
    this.#touches.clear()
    this.#rows.clear()
    this.#origins.clear()
  }
}

function countArrivals(
  session: Session,
  series: number,
  { firstMs, lastMs, arrivals }: Pick<Touch, 'firstMs' | 'lastMs' | 'arrivals'>,
): void {
  session
    .sql(
      `update resource set instance_count = instance_count + ?, first_at = coalesce(first_at, ?), last_at = ?, updated_at = ?
       where id = ?`,
    )
    .run(arrivals, firstMs, lastMs, lastMs, series)
}

function originRow(session: Session, facts: string): number {
  const held = session.sql('select id from origin where facts = ?').get(facts) as { id: number } | undefined
  return held?.id ?? Number(session.sql('insert into origin (facts) values (?)').run(facts).lastInsertRowid)
}

function shorter(one: number | null, other: number | null): number | null {
  return one === null ? other : other === null ? one : Math.min(one, other)
}
