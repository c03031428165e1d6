/** What the DICOM receiver agrees to when an association is opened, seen from the other end of the wire. */
import { expect, test } from 'vitest'
import { isStorage, isTransferSyntax } from '../../src/intake/negotiation.ts'
import { associate, associated } from '../support/association.ts'
import { dicomDataset, transferSyntaxes, uidsOf } from '../support/dicom-files.ts'
import { ctImageStorage, type Proposal, verification } from '../support/dimse-messages.ts'
import { startTestReceiver } from '../support/test-receiver.ts'
import { until } from '../support/until.ts'

const { explicitLittleEndian, implicitLittleEndian, jpegLossless } = transferSyntaxes
const ct: Proposal = { abstractSyntax: ctImageStorage, transferSyntaxes: [explicitLittleEndian] }
const accepted = (transferSyntax: string) => ({ result: 0, transferSyntax })
const refusedBy = (reason: number) => ({ result: 1, source: 1, reason })

test('storage and verification are accepted, plain where that is proposed, else in the first transfer syntax of the standard', async () => {
  await using receiver = await startTestReceiver()
  const proposals: Proposal[] = [
    { abstractSyntax: ctImageStorage, transferSyntaxes: [jpegLossless, explicitLittleEndian] },
    { abstractSyntax: ctImageStorage, transferSyntaxes: ['1.3.46.670589.33.1.4.1', jpegLossless] },
    { abstractSyntax: ctImageStorage, transferSyntaxes: ['1.3.46.670589.33.1.4.1', implicitLittleEndian] },
    { abstractSyntax: '1.3.12.2.1107.5.9.1', transferSyntaxes: [explicitLittleEndian] },
    { abstractSyntax: verification, transferSyntaxes: [implicitLittleEndian] },
    { abstractSyntax: '1.2.840.10008.5.1.4.1.2.2.1', transferSyntaxes: [implicitLittleEndian] },
    { abstractSyntax: ctImageStorage, transferSyntaxes: ['1.3.46.670589.33.1.4.1'] },
  ]
  using association = await associated(receiver.dicomPort, { proposals })
  expect(association.contexts).toEqual([
    accepted(explicitLittleEndian),
    accepted(jpegLossless),
    accepted(implicitLittleEndian),
    accepted(explicitLittleEndian),
    accepted(implicitLittleEndian),
    { result: 3, transferSyntax: null },
    { result: 4, transferSyntax: null },
  ])
  expect(await association.echo(4)).toBe(0)
  await association.release()
})

test('as many contexts as an association can have are answered, each by itself', async () => {
  await using receiver = await startTestReceiver()
  const proposals = Array.from({ length: 128 }, (_, number) => ({
    abstractSyntax: ctImageStorage,
    transferSyntaxes: [number % 2 === 0 ? explicitLittleEndian : implicitLittleEndian],
  }))
  using association = await associated(receiver.dicomPort, { proposals })
  expect(association.contexts).toEqual(proposals.map(({ transferSyntaxes: [uid] }) => accepted(uid!)))
})

test('every transfer syntax is stored as it was sent', async () => {
  await using receiver = await startTestReceiver()
  const names = Object.keys(transferSyntaxes) as (keyof typeof transferSyntaxes)[]
  const proposals = names.map((name) => ({
    abstractSyntax: ctImageStorage,
    transferSyntaxes: [transferSyntaxes[name]],
  }))
  using association = await associated(receiver.dicomPort, { proposals })
  for (const [context, transferSyntax] of names.entries()) {
    const facts = { instance: transferSyntax, transferSyntax }
    const dataset = dicomDataset(facts)
    expect(await association.store({ context, dataset, sopInstanceUid: uidsOf(facts).instance })).toBe(0)
  }
  expect(await receiver.files()).toHaveLength(names.length)
  const files = await Promise.all((await receiver.files()).map((file) => receiver.storage.read(file)))
  for (const transferSyntax of names) {
    const dataset = dicomDataset({ instance: transferSyntax, transferSyntax })
    const isStored = files.some((file) => file.subarray(-dataset.length).equals(dataset))
    expect([transferSyntax, isStored]).toEqual([transferSyntax, true])
  }
})

test('without a list any AE title may call, and be called', async () => {
  await using receiver = await startTestReceiver()
  using association = await associated(receiver.dicomPort, {
    proposals: [ct],
    callingAet: 'ANYBODY',
    calledAet: 'ANY-SCP',
  })
  expect(association.contexts).toEqual([accepted(explicitLittleEndian)])
})

test('with a list only its AE titles may call, and with the check only our own may be called', async () => {
  const settings = { callingAets: ['CT1', 'MR1'], checkCalledAet: true, dicomAet: 'STORE' }
  await using receiver = await startTestReceiver(settings)
  const ask = async (callingAet: string, calledAet: string) => {
    const answer = await associate(receiver.dicomPort, { proposals: [ct], callingAet, calledAet })
    if (answer === 'cut' || 'reason' in answer) return answer
    await answer.release()
    return 'accepted'
  }
  expect(await ask('CT1', 'STORE')).toBe('accepted')
  expect(await ask('MR1', 'STORE')).toBe('accepted')
  expect(await ask('CT2', 'STORE')).toEqual(refusedBy(3))
  expect(await ask('ct1', 'STORE')).toEqual(refusedBy(3))
  expect(await ask('CT1', 'ONSTABLE')).toEqual(refusedBy(7))
  expect(receiver.lines.filter(({ msg }) => msg.startsWith('Refused an association'))).toMatchObject([
    { remoteIp: '127.0.0.1', msg: 'Refused an association: its AE title is not in "callingAets"' },
    {},
    { msg: 'Refused an association: it calls another AE title' },
  ])
})

test('an address that is not in the list is cut off before it can ask', async () => {
  await using receiver = await startTestReceiver({ callingAddresses: ['192.0.2.1'] })
  expect(await associate(receiver.dicomPort, { proposals: [ct] })).toBe('cut')
  await using open = await startTestReceiver({ callingAddresses: ['192.0.2.1', '127.0.0.1'] })
  using association = await associated(open.dicomPort, { proposals: [ct] })
  expect(association.contexts).toHaveLength(1)
})

test('more associations than allowed are told to come again, and can when one has ended, however it ended', async () => {
  await using receiver = await startTestReceiver({ maxAssociations: 2 })
  const open = () => associate(receiver.dicomPort, { proposals: [ct] })
  using first = await associated(receiver.dicomPort, { proposals: [ct] })
  using second = await associated(receiver.dicomPort, { proposals: [ct] })
  expect(await open()).toEqual({ result: 2, source: 3, reason: 2 })
  await first.release()
  using third = await associated(receiver.dicomPort, { proposals: [ct] })
  expect(await open()).toEqual({ result: 2, source: 3, reason: 2 })
  second.socket.destroy()
  const fourth = await until('the cut association to be forgotten', async () => {
    const answer = await open()
    return answer === 'cut' || 'reason' in answer ? null : answer
  })
  fourth[Symbol.dispose]()
  expect(await third.store({ dataset: dicomDataset(), sopInstanceUid: uidsOf({}).instance })).toBe(0)
  expect(await receiver.instances()).toHaveLength(1)
})

test('the standard’s storage classes and transfer syntaxes are known, and private ones as far as they can be kept', () => {
  expect(['1.2.840.10008.5.1.4.1.1.88.11', '1.2.840.10008.5.1.4.34.7', '1.2.276.0.1'].map(isStorage)).toEqual(
    [true, true, true],
  )
  expect(
    ['1.2.840.10008.1.20.1', '1.2.840.10008.5.1.4.31', '1.2.840.10008.5.1.4.1.2.1.1'].map(isStorage),
  ).toEqual([false, false, false])
  const syntaxes = [
    '1.2.840.10008.1.2.4.201',
    '1.2.840.10008.1.2.8.1',
    '1.2.840.10008.1.20',
    '1.2.840.10008.1.2.4.',
    '1.2.840.113619.5.2',
  ]
  expect(syntaxes.map(isTransferSyntax)).toEqual([true, true, false, false, false])
})
