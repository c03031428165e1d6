/**
 * Work for others that takes long: sending instances to other archives. Door of the folder.
 */
export type { SendLimits } from './association.ts'
export { createSender, type Sender, type SenderParts } from './sender.ts'
