/** `onstable send`: uploads files and folders. */
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { Command } from 'commander'
import { z } from 'zod'
import { fault, messageOf, OnStableError } from '../errors.ts'
import type { RestClient } from './client.ts'
import { filesBelow } from './dicom-files.ts'
import { onInterrupt } from './interrupt.ts'
import { startProgress } from './progress.ts'
import { addClientOptions, type ClientOptions, clientOf, type Session } from './session.ts'

interface SendOptions extends ClientOptions {
  readonly jobs: string
}

interface Summary {
  sent: number
  alreadyStored: number
  /** Taken by the server, but not kept because a script said so. */
  filteredOut: number
  readonly failed: { readonly file: string; readonly reason: string }[]
}

const instanceAnswer = z.object({ Status: z.string() })
/** An archive is answered with a list. */
const uploadAnswer = z.union([instanceAnswer.transform((one) => [one]), z.array(instanceAnswer)])

export function addSendCommand(program: Command, session: Session): void {
  addClientOptions(program.command('send').description('send DICOM files, and all in these folders'))
    .argument('<files...>', 'files and folders')
    .option('--jobs <number>', 'how many files at a time', '4')
    .addHelpText('after', '\nExample:\n  $ onstable send /media/cdrom --jobs 8')
    .action((paths: string[], options: SendOptions) => send(session, paths, options))
}

async function send(session: Session, paths: readonly string[], options: SendOptions): Promise<void> {
  const jobs = jobsOf(options.jobs)
  const client = clientOf(session, options)
  const files = await filesBelow(paths)
  if (files.length === 0) throw fault('bad-request', `There are no files in ${paths.join(', ')}`)
  const summary: Summary = { sent: 0, alreadyStored: 0, filteredOut: 0, failed: [] }
  const waiting = files[Symbol.iterator]()
  let isInterrupted = false
  const stopListening = onInterrupt(() => {
    isInterrupted = true
  })
  const progress = startProgress(files.length, 'files', session.isTerminal && options.json !== true)
  const sendOneByOne = async () => {
    for (const file of waiting) {
      if (isInterrupted) return
      await sendFile(client, file, summary)
      progress.step()
    }
  }
  try {
    await Promise.all(Array.from({ length: jobs }, sendOneByOne))
  } finally {
    progress.stop()
    stopListening()
  }
  if (summary.failed.length > 0 || isInterrupted) session.exitCode = 1
  if (options.json) return session.print(JSON.stringify(summary))
  session.print(textOf(summary))
  for (const { file, reason } of summary.failed) session.complain(`${file}: ${reason}`)
}

async function sendFile(client: RestClient, file: string, summary: Summary): Promise<void> {
  const content = createReadStream(file)
  try {
    const answer = await client.upload('/instances', Readable.toWeb(content) as ReadableStream<Uint8Array>)
    if (!answer.ok) {
      summary.failed.push({ file, reason: answer.reason })
      return
    }
    for (const { Status } of uploadAnswer.parse(answer.body)) {
      if (Status === 'AlreadyStored') summary.alreadyStored++
      else if (Status === 'FilteredOut') summary.filteredOut++
      else summary.sent++
    }
  } catch (error) {
    // A file that cannot be read fails alone; a server that cannot be reached fails all.
    if (content.errored === null && error instanceof OnStableError) throw error
    summary.failed.push({ file, reason: messageOf(content.errored ?? error) })
  } finally {
    content.destroy()
  }
}

function jobsOf(text: string): number {
  const jobs = Number(text)
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= 64) return jobs
  throw fault('bad-request', `"--jobs" must be a whole number from 1 to 64, got "${text}"`)
}

function textOf({ sent, alreadyStored, filteredOut, failed }: Summary): string {
  const parts = [`sent ${sent}`, `already stored ${alreadyStored}`]
  if (filteredOut > 0) parts.push(`filtered out ${filteredOut}`)
  if (failed.length > 0) parts.push(`failed ${failed.length}`)
  return parts.join(', ')
}
