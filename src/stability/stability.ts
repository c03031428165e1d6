/**
 * When is a resource stable: the ages that rules give an arrival, and the ticking that fires what is due.
 * Door of the folder.
 */
export { createAges } from './ages.ts'
export { startTicking, type Ticking } from './ticking.ts'
