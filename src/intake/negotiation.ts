/** What is agreed when an association is opened (PS3.8, section 9.3.3): who may, and what may be sent. */
import type { Settings } from '../config.ts'
import type { AssociationRequest, ContextAnswer, ProposedContext } from './association-request.ts'

export type NegotiationSettings = Pick<
  Settings,
  'checkCalledAet' | 'dicomAet' | 'callingAets' | 'maxAssociations'
>

/** Why an association is refused, in the protocol's numbers and in words for the log. */
export interface Refusal {
  readonly result: number
  readonly source: number
  readonly reason: number
  readonly text: string
}

// PS3.8, table 9-21.
const permanent = 1
const transient = 2
const byServiceUser = 1
const byPresentationProvider = 3
const callingAetNotRecognized = 3
const calledAetNotRecognized = 7
const localLimitExceeded = 2

/**
 * @param openAssociations how many there are besides this one
 * @returns null if it may be opened
 */
export function refusalOf(
  { callingAet, calledAet }: Pick<AssociationRequest, 'callingAet' | 'calledAet'>,
  settings: NegotiationSettings,
  openAssociations: number,
): Refusal | null {
  const fromUser = { result: permanent, source: byServiceUser }
  if (settings.checkCalledAet && calledAet !== settings.dicomAet) {
    return { ...fromUser, reason: calledAetNotRecognized, text: 'it calls another AE title' }
  }
  if (settings.callingAets.length > 0 && !settings.callingAets.includes(callingAet)) {
    const text = 'its AE title is not in "callingAets"'
    return { ...fromUser, reason: callingAetNotRecognized, text }
  }
  if (openAssociations >= settings.maxAssociations) {
    const text = '"maxAssociations" are open'
    return { result: transient, source: byPresentationProvider, reason: localLimitExceeded, text }
  }
  return null
}

// PS3.8, table 9-18.
const acceptance = 0
const abstractSyntaxNotSupported = 3
const transferSyntaxesNotSupported = 4

/** Accepts storage and verification. */
export function agreeOn(contexts: readonly ProposedContext[]): ContextAnswer[] {
  return contexts.map(({ id, abstractSyntax, transferSyntaxes }) => {
    const transferSyntax = chosenOf(transferSyntaxes)
    if (abstractSyntax !== verification && !isStorage(abstractSyntax)) {
      return { id, result: abstractSyntaxNotSupported, transferSyntax: '' }
    }
    if (transferSyntax === undefined) {
      return { id, result: transferSyntaxesNotSupported, transferSyntax: '' }
    }
    return { id, result: acceptance, transferSyntax }
  })
}

/**
 * Of several in one context, as Orthanc chooses: what every sender can make of what it holds, without loss,
 * and every receiver takes to which a script sends it on. Otherwise the sender's first.
 */
function chosenOf(proposed: readonly string[]): string | undefined {
  return preferred.find((uid) => proposed.includes(uid)) ?? proposed.find(isTransferSyntax)
}

/** Explicit little endian, implicit little endian, explicit big endian. */
const preferred: readonly string[] = ['1.2.840.10008.1.2.1', '1.2.840.10008.1.2', '1.2.840.10008.1.2.2']

const verification = '1.2.840.10008.1.1'
const dicomRoot = '1.2.840.10008.'
const storageRoot = `${dicomRoot}5.1.4.1.1.`
// Radiotherapy instructions, hanging protocols, colour palettes and implants are stored as images are.
const furtherStorage = ['34.7', '34.10', '38.1', '39.1', '43.1', '44.1', '45.1'].map(
  (end) => `${dicomRoot}5.1.4.${end}`,
)

/** Everything that the standard stores, and whatever a manufacturer defines. */
export function isStorage(sopClassUid: string): boolean {
  return (
    !sopClassUid.startsWith(dicomRoot) ||
    sopClassUid.startsWith(storageRoot) ||
    furtherStorage.includes(sopClassUid)
  )
}

/** A private transfer syntax could not be read by anybody later. */
export function isTransferSyntax(uid: string): boolean {
  return /^1\.2\.840\.10008\.1\.2(\.1|\.1\.98|\.1\.99|\.2|\.4\.\d+|\.5|\.6\.[12]|\.8\.1)?$/.test(uid)
}
