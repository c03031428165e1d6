/** A child process that runs callbacks in isolates and does nothing else: the least that a run can cost. */
import process from 'node:process'
import ivm from 'isolated-vm'

const code = `
globalThis.run = async (eventJson, asks) => {
  const event = JSON.parse(eventJson)
  if (asks) await ask.apply(undefined, ['get'], { arguments: { copy: true }, result: { promise: true, copy: true } })
  return event.level
}`

const runs = []
const waiting = new Map()
let calls = 0

function makeIsolate() {
  const isolate = new ivm.Isolate({ memoryLimit: 64 })
  const context = isolate.createContextSync()
  const ask = (name) =>
    new Promise((resolve) => {
      waiting.set(++calls, resolve)
      process.send({ call: calls, name })
    })
  context.global.setSync('ask', new ivm.Reference(ask))
  context.evalSync(code)
  runs.push(context.global.getSync('run', { reference: true }))
}

process.on('message', async ({ isolates, id, isolate, event, asks, call, answer }) => {
  if (isolates !== undefined) {
    for (let each = 0; each < isolates; each++) makeIsolate()
  } else if (call !== undefined) {
    waiting.get(call)(answer)
    waiting.delete(call)
  } else {
    const options = { timeout: 1_000, arguments: { copy: true }, result: { promise: true, copy: true } }
    await runs[isolate].apply(undefined, [event, asks], options)
    process.send({ ended: id })
  }
})
