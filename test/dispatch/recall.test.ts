/** What was handed over ahead does not begin after a pause, a save or a stop, on a whole engine. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { temporaryFolder } from '../support/folders.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

const workMs = 150
const short = 20
const total = 50
const numbers = Array.from({ length: total }, (_, n) => n + 1)
/** The first runs are short, so that many are handed over at once; those after them are not. */
const saying = (version: number) => `let begun = 0
  export function onStoredInstance(instance, host) {
    host.log('version ${version}: ' + instance.tags.InstanceNumber)
    for (const from = Date.now(); ++begun > ${short} && Date.now() - from < ${workMs}; );
  }`

const linesOf = (engine: TestEngine) =>
  engine.lines.map(({ msg }) => String(msg)).filter((msg) => msg.startsWith('version '))
const hand = (engine: TestEngine, name: string) =>
  fetch(`${engine.url}/scripts/tell.js/${name}`, { method: 'POST' })

/** With a backlog in hand of which a few are over. */
async function startInTheMiddle(data?: string): Promise<TestEngine> {
  const engine = await startTestEngine({ scripts: { 'tell.js': saying(1) }, ...(data && { data }) })
  await hand(engine, 'pause')
  for (const number of numbers)
    await engine.post(dicomFile({ study: `S${number}`, instance: String(number), place: number }))
  await hand(engine, 'resume')
  await until('a long one to end', () => linesOf(engine).length >= short + 2)
  return engine
}

/** What the runs said, in their order. */
async function allTold(engine: TestEngine): Promise<string[]> {
  const read = () => engine.read<{ logs: { text: string }[] }[]>('/runs?limit=100')
  await until('all to be told', async () => (await read()).length >= total)
  return (await read()).reverse().map(({ logs }) => logs[0]!.text)
}

test('after a pause only what is at work ends, and all goes on in its order', async () => {
  await using engine = await startInTheMiddle()
  await hand(engine, 'pause')
  const told = linesOf(engine).length
  await wait(workMs * 5)
  expect(linesOf(engine).length).toBeLessThanOrEqual(told + 1)
  await hand(engine, 'resume')
  expect(await allTold(engine)).toEqual(numbers.map((number) => `version 1: ${number}`))
})

test('after a save only what is at work ends as it was, and all the rest is told by the new version', async () => {
  await using engine = await startInTheMiddle()
  writeFileSync(join(engine.scripts, 'tell.js'), saying(2))
  await until(
    'it to be in force',
    () => engine.lines.filter(({ msg }) => msg === 'Script in force').length === 2,
  )
  const byFirst = linesOf(engine).length
  const told = await allTold(engine)
  expect(told.map((line) => Number(line.split(' ')[2]))).toEqual(numbers)
  expect(told.filter((line) => line.startsWith('version 1')).length).toBeLessThanOrEqual(byFirst + 1)
})

test('a stop waits for what is at work alone, and the next start tells the rest', async () => {
  using folder = temporaryFolder()
  const engine = await startInTheMiddle(folder.path)
  const told = linesOf(engine).length
  await engine[Symbol.asyncDispose]()
  // A run may end while other parts are stopped before the runs are.
  expect(linesOf(engine).length).toBeLessThanOrEqual(told + 3)
  await using next = await startTestEngine({ scripts: { 'tell.js': saying(1) }, data: folder.path })
  expect(await allTold(next)).toEqual(numbers.map((number) => `version 1: ${number}`))
})
