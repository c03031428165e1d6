/** The presentation contexts of an association: what is proposed for its instances, and what was accepted. */
import dimse from 'dcmjs-dimse'
import type { Outgoing } from './association.ts'

/** One for each kind of instance: each is sent in the transfer syntax in which it is stored. */
export function contextsOf(instances: readonly Outgoing[]): dimse.association.PresentationContext[] {
  const byUids = new Map(instances.map((each) => [`${each.sopClassUid} ${each.transferSyntaxUid}`, each]))
  return [...byUids.values()].map(
    (each) => new dimse.association.PresentationContext(0, each.sopClassUid, each.transferSyntaxUid),
  )
}

/** Whether a receiver has accepted the context that an instance needs. */
export function accepts(association: dimse.association.Association, instance: Outgoing): boolean {
  return association
    .getPresentationContexts()
    .map(({ context }) => context)
    .some(
      (context) =>
        context.getResult() === dimse.constants.PresentationContextResult.Accept &&
        context.getAbstractSyntaxUid() === instance.sopClassUid &&
        context.getAcceptedTransferSyntaxUid() === instance.transferSyntaxUid,
    )
}

/** Why an instance cannot be sent when its context was not accepted. */
export function reasonOf({ sopClassUid, transferSyntaxUid }: Outgoing): string {
  return `the receiver does not take SOP class ${sopClassUid} in transfer syntax ${transferSyntaxUid}`
}
