/**
 * Sends all instances of a resource to a modality by C-STORE, each exactly as it is stored.
 */
import type { Settings } from '../config.ts'
import type { Level } from '../dicom/dicom.ts'
import { fault } from '../errors.ts'
import { heldElsewhere, type InstanceResource, type Store } from '../store/store.ts'
import type { Outgoing, Receiver, SendLimits } from './association.ts'

export interface SenderParts {
  readonly settings: Pick<Settings, 'modalities' | 'dicomAet'>
  readonly store: Pick<Store, 'related' | 'addedInstances' | 'findAll'>
  /** The bytes of a stored DICOM file. */
  readonly read: (file: string) => Promise<Buffer>
  /** How long the receiver is waited for. */
  readonly limits?: Partial<SendLimits>
}

/** A resource; with the numbers, only those of its instances that lie between. */
type Reference =
  | { readonly level: Level; readonly id: string }
  | {
      readonly level: Level
      readonly id: string
      readonly addedAfter: number
      readonly addedUpTo: number
    }

export interface Sender {
  /**
   * Resolves when the receiver has taken every instance.
   * @throws `unknown-resource`, `bad-host-call` for a modality that is not configured, and `send-failed`, naming
   *   the modality, the instance and the status; earlier instances have been taken then
   */
  send(reference: Reference, modality: string, signal: AbortSignal): Promise<{ readonly sent: number }>
}

/** An association proposes at most 128 contexts (PS3.8, 9.3.2.2); the library adds two of its own. */
const maxContexts = 126
const instancesPerQuery = 500

export function createSender({ settings, store, read, limits = {} }: SenderParts): Sender {
  // The library takes 30 MB, which a server without modalities is spared; loading it stops the event loop for 0.2 s.
  const loadAssociation = () => import('./association.ts')
  if (Object.keys(settings.modalities).length > 0) loadAssociation().catch(() => {})
  const send: Sender['send'] = async (reference, modality, signal) => {
    const { level, id } = reference
    const configured = Object.hasOwn(settings.modalities, modality)
      ? settings.modalities[modality]
      : undefined
    if (configured === undefined) throw fault('bad-host-call', `Modality "${modality}" is not configured`)
    const isPart = 'addedAfter' in reference
    const instances = await findAll(store, await idsOf(store, reference))
    if (instances.length === 0 && !isPart)
      throw fault('unknown-resource', `There is no ${level.toLowerCase()} ${id}`)
    const elsewhere = instances.filter(({ file }) => file === heldElsewhere).length
    if (elsewhere > 0)
      throw fault(
        'unknown-resource',
        `Another archive holds ${elsewhere} of the instances: their files are not here`,
      )
    const { storeOverAssociation } = await loadAssociation()
    const receiver: Receiver = { name: modality, callingAet: settings.dicomAet, ...configured }
    for (const batch of byContexts(instances.map((instance) => outgoingOf(instance, read)))) {
      await storeOverAssociation(batch, { receiver, limits, signal })
    }
    return { sent: instances.length }
  }
  return { send }
}

async function idsOf(store: SenderParts['store'], reference: Reference): Promise<readonly string[]> {
  const { level, id } = reference
  if (level === 'Instance') return [id]
  if ('addedAfter' in reference) {
    return store.addedInstances(level, id, reference.addedAfter, reference.addedUpTo)
  }
  return (await store.related(level, id, 'Instance')) ?? []
}

async function findAll(store: SenderParts['store'], ids: readonly string[]): Promise<InstanceResource[]> {
  const found: InstanceResource[] = []
  for (let first = 0; first < ids.length; first += instancesPerQuery) {
    const page = await store.findAll('Instance', ids.slice(first, first + instancesPerQuery))
    found.push(...page.filter((resource) => resource.level === 'Instance'))
  }
  return found
}

function outgoingOf(instance: InstanceResource, read: SenderParts['read']): Outgoing {
  const { id, sopClassUid, transferSyntaxUid, tags, file } = instance
  return {
    id,
    sopClassUid,
    transferSyntaxUid,
    sopInstanceUid: tags.SOPInstanceUID ?? '',
    read: () => read(file),
  }
}

/** In the order given, as few batches as have no more contexts than an association can propose. */
function byContexts(instances: readonly Outgoing[]): Outgoing[][] {
  const batches: Outgoing[][] = []
  const batchOf = new Map<string, number>()
  for (const instance of instances) {
    const context = `${instance.sopClassUid} ${instance.transferSyntaxUid}`
    const batch = batchOf.get(context) ?? Math.floor(batchOf.size / maxContexts)
    batchOf.set(context, batch)
    batches[batch] ??= []
    batches[batch].push(instance)
  }
  return batches
}
