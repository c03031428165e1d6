/**
 * Lists of resources, read from the store and written to the client a page at a time, so that neither memory
 * nor the event loop feels how many there are.
 */
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Level } from '../dicom/dicom.ts'
import type { Store } from '../store/store.ts'
import { formatResource } from './format.ts'

const idsPerPage = 2_000
const resourcesPerPage = 100

/** Answers with the identifiers, or with the resources themselves. */
export async function answerList(
  reply: FastifyReply,
  store: Store,
  level: Level,
  ids: AsyncIterable<readonly string[]>,
  expand: boolean,
): Promise<FastifyReply> {
  const pages = (expand ? resourcesOf(store, level, ids) : ids)[Symbol.asyncIterator]()
  const first = await pages.next()
  const second = first.done === true ? first : await pages.next()
  if (second.done === true) return reply.send(first.value ?? [])
  const start = [...first.value, ...second.value]
  reply.type('application/json; charset=utf-8')
  return reply.send(Readable.from(jsonArray(start, pages)))
}

/** The identifiers at a level, in the order of their arrival. */
export async function* listIds(
  store: Store,
  level: Level,
  since: number,
  limit: number,
): AsyncGenerator<readonly string[]> {
  let left = limit
  for (let offset = since; left > 0; offset += idsPerPage) {
    const wanted = Math.min(left, idsPerPage)
    const page = await store.list(level, { since: offset, limit: wanted })
    if (page.length > 0) yield page
    if (page.length < wanted) return
    left -= page.length
  }
}

/** Identifiers that are known already. */
export async function* knownIds(ids: readonly string[]): AsyncGenerator<readonly string[]> {
  if (ids.length > 0) yield ids
}

async function* resourcesOf(
  store: Store,
  level: Level,
  ids: AsyncIterable<readonly string[]>,
): AsyncGenerator<readonly object[]> {
  for await (const page of ids) {
    for (let index = 0; index < page.length; index += resourcesPerPage) {
      const resources = await store.findAll(level, page.slice(index, index + resourcesPerPage))
      yield resources.map(formatResource)
    }
  }
}

async function* jsonArray(
  start: readonly unknown[],
  rest: AsyncIterator<readonly unknown[]>,
): AsyncGenerator<string> {
  const items = (page: readonly unknown[]) => page.map((item) => JSON.stringify(item)).join(',')
  yield `[${items(start)}`
  for (let page = await rest.next(); page.done !== true; page = await rest.next()) {
    if (page.value.length > 0) yield `,${items(page.value)}`
  }
  yield ']'
}
