/**
 * Work for others that takes long: sending instances to other archives. Door of the folder.
 */
export { createSender, type Sender, type SenderParts } from './sender.ts'
