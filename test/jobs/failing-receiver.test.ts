/** Sending to a receiver that does not do its part: an error that says what was wrong, and nothing left open. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { SendLimits } from '../../src/jobs/jobs.ts'
import { uidsOf } from '../support/dicom-files.ts'
import { freePort } from '../support/free-port.ts'
import type { RawReceiverOptions } from '../support/raw-receiver.ts'
import { openSenderTo, openTestSender, sendFailed } from '../support/test-sender.ts'
import { until } from '../support/until.ts'

const anInstance = /instance [0-9a-f-]{44}/.source
const failing: [string, RawReceiverOptions, RegExp, number, Partial<SendLimits>?][] = [
  [
    'refuses the association',
    { associate: 'reject' },
    /the association was rejected \(result 1, source 1, reason 7\): check the AE titles on both sides/,
    0,
  ],
  ['aborts instead of accepting', { associate: 'abort' }, /the receiver aborted the association/, 0],
  [
    'hangs up instead of accepting',
    { associate: 'end' },
    /the connection was closed before 3 of 3 instances were taken/,
    0,
  ],
  [
    'says nothing when asked',
    { associate: 'silence' },
    /no answer to the request for an association within 0\.2 s/,
    0,
    { associateMs: 200 },
  ],
  [
    'does not take the kind of image',
    { accepts: ({ abstractSyntax }) => abstractSyntax !== '1.2.840.10008.5.1.4.1.1.2' },
    new RegExp(
      `${anInstance} is not accepted: the receiver does not take SOP class 1\\.2\\.840\\.10008\\.5\\.1\\.4\\.1\\.1\\.2 in transfer syntax 1\\.2\\.840\\.10008\\.1\\.2\\.1`,
    ),
    0,
  ],
  [
    'is full',
    { answer: () => 0xa700, comment: 'No room' },
    new RegExp(`${anInstance} was refused with status 0xA700 \\(No room\\)`),
    0,
  ],
  [
    'refuses the second instance',
    { answer: (number) => (number === 1 ? 0x0110 : 0) },
    new RegExp(`${anInstance} was refused with status 0x0110`),
    1,
  ],
  [
    'aborts in the middle',
    { answer: (number) => (number === 1 ? 'abort' : 0) },
    /the receiver aborted the association/,
    1,
  ],
  [
    'hangs up in the middle',
    { answer: (number) => (number === 2 ? 'end' : 0) },
    /the connection was closed before 1 of 3 instances were taken/,
    2,
  ],
  [
    'stops answering',
    { answer: (number) => (number === 2 ? 'silence' : 0) },
    new RegExp(`no answer for ${anInstance} within 0\\.5 s`),
    2,
    { answerMs: 500 },
  ],
]
test.each(failing)(
  'a receiver that %s is an error that says so',
  async (_, options, reason, taken, limits) => {
    await using opened = await openSenderTo(options, limits)
    await expect(opened.send()).rejects.toEqual(sendFailed(reason))
    expect(opened.receiver.taken).toHaveLength(taken)
    await until('the connection to be closed', () => opened.receiver.openConnections() === 0)
  },
)

test('a receiver that is down, and one without an address, are errors that say where', async () => {
  const port = await freePort()
  await using down = await openTestSender(port)
  const { header } = await down.receive({})
  const send = () => down.send({ level: 'Study', id: header.ids.study })
  await expect(send()).rejects.toEqual(
    sendFailed(new RegExp(`Connection error: connect ECONNREFUSED 127\\.0\\.0\\.1:${port}`)),
  )
})

test('an instance that is deleted while its turn comes is named, and ends the send', async () => {
  let deleted = false
  await using opened = await openSenderTo({
    answer: () => {
      deleted = true
      return 0
    },
  })
  const { sender, receiver } = opened
  const last = await sender.store.findAll('Instance', await sender.instances())
  const victim = last.find(({ tags }) => tags.SOPInstanceUID === uidsOf({ instance: '3' }).instance) as {
    file: string
  }
  rmSync(join(sender.settings.data, 'files', victim.file))
  await expect(opened.send()).rejects.toEqual(
    sendFailed(new RegExp(`${anInstance} cannot be read: ENOENT: .*`)),
  )
  expect([deleted, receiver.taken.length]).toEqual([true, 2])
  await until('the connection to be closed', () => receiver.openConnections() === 0)
})

test('what is not there, and a modality that nobody configured, is not sent', async () => {
  await using opened = await openSenderTo({})
  const nobody = '00000000-00000000-00000000-00000000-00000000'
  for (const level of ['Patient', 'Study', 'Series', 'Instance'] as const) {
    await expect(opened.sender.send({ level, id: nobody })).rejects.toMatchObject({
      code: 'unknown-resource',
      message: `There is no ${level.toLowerCase()} ${nobody}`,
    })
  }
  expect(opened.receiver.proposals).toEqual([])
})
