/** The end of a send: with its run, and without anything left of it. */
import { expect, test } from 'vitest'
import { openSenderTo, sendFailed } from '../support/test-sender.ts'
import { until } from '../support/until.ts'

test('a send is given up when its run has ended, before it began and in the middle', async () => {
  await using opened = await openSenderTo({ answer: (number) => (number === 1 ? 'silence' : 0) })
  await expect(opened.send(AbortSignal.abort())).rejects.toEqual(sendFailed(/the run has ended/))
  expect(opened.receiver.proposals).toEqual([])
  const run = new AbortController()
  const sending = opened.send(run.signal)
  await until('the first instance to be taken', () => opened.receiver.taken.length === 1)
  run.abort()
  await expect(sending).rejects.toEqual(sendFailed(/the run has ended/))
  await until('the connection to be closed', () => opened.receiver.openConnections() === 0)
})

test('after many sends that failed, nothing is left of them in this process', async () => {
  await using opened = await openSenderTo({ answer: () => 'end' })
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  await opened.send().catch(() => {})
  await until('all to be quiet', () => opened.receiver.openConnections() === 0)
  const before = { sockets: sockets(), timers: timers() }
  for (let number = 0; number < 10; number++) await opened.send().catch(() => {})
  await until(
    'the sockets and timers to be gone',
    () => sockets() <= before.sockets && timers() <= before.timers,
  )
})
