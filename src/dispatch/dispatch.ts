/**
 * Delivers the changes of the log to the callbacks of scripts: at least once, in order per key, tried again
 * when they fail, set aside when they keep failing. Door of the folder.
 */
export { type Asking, createAsking, type Unanswered, type Verdict } from './ask.ts'
export { createInstanceQuestion, type InstanceQuestion } from './ask-instance.ts'
export { drainedBy } from './drained.ts'
export { openPauses, type Pauses } from './pauses.ts'
export { type Dispatch, type DispatchParts, startDispatch } from './pump.ts'
export { startRetention } from './retention.ts'
export { type Storms, watchStorms } from './storms.ts'
export { createTell, type Tell, type TellParts } from './tell.ts'
