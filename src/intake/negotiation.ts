/** What is agreed when an association is opened (PS3.8, section 9.3.3): who may, and what may be sent. */
import dimse from 'dcmjs-dimse'
import type { Settings } from '../config.ts'

const { PresentationContextResult, RejectReason, RejectResult, RejectSource, SopClass } = dimse.constants
type Association = dimse.association.Association

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

/**
 * @param openAssociations how many there are besides this one
 * @returns null if it may be opened
 */
export function refusalOf(
  association: Association,
  settings: NegotiationSettings,
  openAssociations: number,
): Refusal | null {
  const fromUser = { result: RejectResult.Permanent, source: RejectSource.ServiceUser }
  if (settings.checkCalledAet && association.getCalledAeTitle() !== settings.dicomAet) {
    return { ...fromUser, reason: RejectReason.CalledAeNotRecognized, text: 'it calls another AE title' }
  }
  const mayCall =
    settings.callingAets.length === 0 || settings.callingAets.includes(association.getCallingAeTitle())
  if (!mayCall) {
    return {
      ...fromUser,
      reason: RejectReason.CallingAeNotRecognized,
      text: 'its AE title is not in "callingAets"',
    }
  }
  if (openAssociations >= settings.maxAssociations) {
    return {
      result: RejectResult.Transient,
      source: RejectSource.ServiceProviderPresentation,
      reason: RejectReason.LocalLimitExceeded,
      text: '"maxAssociations" are open',
    }
  }
  return null
}

/** Accepts storage and verification, each in one transfer syntax of the standard. */
export function agreeOnContexts(association: Association): void {
  for (const { id } of association.getPresentationContexts()) {
    const context = association.getPresentationContext(id)
    const transferSyntax = chosenOf(context.getTransferSyntaxUids())
    const abstractSyntax = context.getAbstractSyntaxUid()
    if (abstractSyntax !== SopClass.Verification && !isStorage(abstractSyntax)) {
      context.setResult(PresentationContextResult.RejectAbstractSyntaxNotSupported)
    } else if (transferSyntax === undefined) {
      context.setResult(PresentationContextResult.RejectTransferSyntaxesNotSupported)
    } else {
      context.setResult(PresentationContextResult.Accept, transferSyntax)
    }
  }
}

/**
 * Of several in one context, as Orthanc chooses: what every sender can make of what it holds, without loss,
 * and every receiver takes to which a script sends it on. Otherwise the sender's first.
 */
function chosenOf(proposed: readonly string[]): string | undefined {
  return preferred.find((uid) => proposed.includes(uid)) ?? proposed.find(isTransferSyntax)
}

const { ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian } = dimse.constants.TransferSyntax
const preferred: readonly string[] = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]

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
