/**
 * The child process: isolates in it, a pipe to the engine, and nothing else. It ends itself when the pipe closes.
 */
import { Socket } from 'node:net'
import { serve } from './child.ts'

// Isolates report some errors of scripts here; none of them may end the process.
process.on('uncaughtException', () => {})
process.on('unhandledRejection', () => {})
// A terminal tells the whole group, and the engine still has runs to end.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})

const pipe = new Socket({ fd: 3, readable: true, writable: true })
// An exit in order would wait for isolates that can no longer be stopped.
pipe.on('close', () => process.kill(process.pid, 'SIGKILL'))
pipe.on('error', () => pipe.destroy())

serve(pipe, Number(process.argv.at(-1)))
