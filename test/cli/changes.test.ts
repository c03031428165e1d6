/** `onstable changes tail`, as a process that is told to stop. */
import { expect, test } from 'vitest'
import { startCommand } from '../support/command-line.ts'
import { startRestServer } from '../support/rest-server.ts'

test('changes are printed as they happen, and Ctrl-C is a clean end', async () => {
  await using server = await startRestServer({ stableAge: 3600 })
  await server.send({ instance: '1' })
  await using tail = startCommand(['changes', 'tail', '--since', '0', '--url', server.url])
  await expect.poll(() => tail.lines().length, { timeout: 10_000 }).toBe(4)
  expect(tail.lines()[0]).toMatch(/^ +1 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}NewInstance +\/instances\//)
  await server.send({ instance: '2' })
  await expect.poll(() => tail.lines().length, { timeout: 10_000 }).toBe(5)
  tail.signal('SIGINT')
  expect(await tail.ended).toBe(0)
})

test('without --since only what is new is printed, with --type only that', async () => {
  await using server = await startRestServer({ stableAge: 3600 })
  await server.send({ study: 'S1' })
  await using tail = startCommand(['changes', 'tail', '--type', 'NewStudy', '--json', '--url', server.url])
  let number = 1
  // Until the command has asked where the log ends, what is sent is still old to it.
  await expect
    .poll(
      async () => {
        await server.send({ study: `S${++number}` })
        return tail.lines().length
      },
      { timeout: 10_000, interval: 300 },
    )
    .toBeGreaterThan(1)
  const changes = tail.lines().map((line) => JSON.parse(line) as { ChangeType: string; Seq: number })
  expect(new Set(changes.map(({ ChangeType }) => ChangeType))).toEqual(new Set(['NewStudy']))
  expect(changes[0]!.Seq).toBeGreaterThan(4)
  tail.signal('SIGTERM')
  expect(await tail.ended).toBe(0)
})
