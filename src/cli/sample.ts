/** `onstable sample`: DICOM files to try the product with. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { sampleFiles } from '../dicom/dicom.ts'
import { fault, messageOf } from '../errors.ts'
import { makeFoldersNow } from '../lib/make-folders.ts'
import type { Session } from './session.ts'

interface SampleOptions {
  readonly studies: string
  readonly series: string
  readonly instances: string
  readonly json?: boolean
}

export function addSampleCommand(program: Command, session: Session): void {
  program
    .command('sample')
    .description('write generated DICOM files; each time they are new studies')
    .argument('<folder>', 'folder to write to')
    .option('--studies <number>', 'how many studies', '2')
    .option('--series <number>', 'series in each study', '2')
    .option('--instances <number>', 'instances in each series', '5')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  $ onstable sample /tmp/dicom --studies 3 && onstable send /tmp/dicom',
    )
    .action((folder: string, options: SampleOptions) => writeSample(session, folder, options))
}

function writeSample(session: Session, folder: string, options: SampleOptions): void {
  const counts = {
    studies: countOf('studies', options.studies),
    series: countOf('series', options.series),
    instances: countOf('instances', options.instances),
  }
  let files = 0
  for (const { path, bytes } of sampleFiles(counts, randomBytes(8).toString('hex'))) {
    writeInto(join(folder, path), bytes)
    files++
  }
  if (options.json) session.print(JSON.stringify({ folder, files, ...counts }))
  else session.print(`Wrote ${files} files to ${folder}: send them with "onstable send ${folder}"`)
}

function writeInto(file: string, bytes: Buffer): void {
  try {
    makeFoldersNow(dirname(file))
    writeFileSync(file, bytes)
  } catch (cause) {
    throw fault('bad-request', `Cannot write "${file}": ${messageOf(cause)}`, { cause })
  }
}

function countOf(option: string, text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= 10_000) return count
  throw fault('bad-request', `"--${option}" must be a whole number from 1 to 10000, got "${text}"`)
}
