/**
 * What a child does with the messages of the engine. Door of the folder.
 */
import type { Duplex } from 'node:stream'
import { caps } from '../caps.ts'
import { frameSender, readFrames } from '../frames.ts'
import type { FirstMessage, FromChild, ToChild, WireThrown } from '../protocol.ts'
import { Gate } from './gate.ts'
import { Line } from './line.ts'
import { openSandbox, type Sandbox } from './sandbox.ts'
import { SandboxText } from './sandbox-text.ts'
import { Task, type TaskEnd } from './task.ts'
import { disposeOf } from './watchdog.ts'

/**
 * Serves the engine at the other end of `pipe`, for ever.
 * @param heartbeatMs how often to say that this process is alive
 */
export function serve(pipe: Duplex, heartbeatMs: number): void {
  const send = frameSender<FromChild>(pipe)
  const gate = new Gate()
  const text = new SandboxText()
  const sandboxes = new Map<string, Sandbox>()
  const tasks = new Map<number, Task>()
  const lines = new WeakMap<Sandbox, Line>()
  /** Loads whose isolate is being made, and whether they are still wanted. */
  const opening = new Map<number, boolean>()

  const end = (task: Task, { outcome, body, cpuMs, memoryBytes, isBrief, isWellInside }: TaskEnd) => {
    const { id, version, sandbox } = task
    const line = lines.get(sandbox)
    // It may be that only we know that it has not ended well: what has begun behind it goes, with the isolate.
    const mayHaveBegun = outcome !== 'ok' && (isWellInside || sandbox.isDisposed)
    const behind = mayHaveBegun ? (line?.givenAhead ?? null) : null
    const stopWatch =
      behind === null ? null : disposeOf(sandbox, () => send({ type: 'wedged', id, outcome: 'timed-out' }))
    const disposed = sandbox.isDisposed
    if (disposed && sandboxes.get(version) === sandbox) sandboxes.delete(version)
    tasks.delete(id)
    const tell = () => {
      stopWatch?.()
      send({ type: 'ended', id, outcome, cpuMs, memoryBytes, disposed }, body)
      line?.ended(id, { isWell: outcome === 'ok', isBrief, isGone: disposed })
    }
    if (behind === null) tell()
    else behind.then(tell)
  }
  const begin = (message: FirstMessage, sandbox: Sandbox): Task => {
    const task: Task = new Task(message, sandbox, {
      onCall: (call, name, argumentsJson) => send({ type: 'call', id: task.id, call, name }, argumentsJson),
      onCancel: (call) => send({ type: 'cancel', id: task.id, call }),
      onLog: (level, text) => send({ type: 'log', id: task.id, level }, text),
      onWedged: (outcome) => send({ type: 'wedged', id: task.id, outcome }),
      onEnd: (taskEnd) => end(task, taskEnd),
    })
    tasks.set(task.id, task)
    return task
  }
  const lineOf = (sandbox: Sandbox) =>
    new Line({
      begin({ message, body }, ahead) {
        const task = begin(message, sandbox)
        if (ahead === null) task.run(message.callback, body)
        else task.follow(ahead, message.callback, body)
      },
      enterAhead: ({ message: { id, callback, timeoutMs }, body }) =>
        sandbox.enter('runAhead', [id, callback, body], timeoutMs),
      recall: (upTo) => sandbox.recall(upTo),
      refuse: ({ message: { id } }) => notBegun(id),
    })
  const open = async (memoryMb: number): Promise<Sandbox> => {
    const sandbox = await openSandbox(text, caps, memoryMb, gate)
    const line = lineOf(sandbox)
    lines.set(sandbox, line)
    sandbox.onPost = (kind, id, ...values) => {
      const task = tasks.get(Number(id))
      if (task === undefined) line.keep(Number(id), kind, values)
      else if (task.sandbox === sandbox) task.onPost(kind, values)
    }
    return sandbox
  }
  const notBegun = (id: number) =>
    send({ type: 'ended', id, outcome: 'not-begun', cpuMs: 0, memoryBytes: 0, disposed: false })
  const refuse = (id: number, message: string) => {
    const thrown: WireThrown = { name: 'Error', message, stack: '' }
    const ended = { outcome: 'crashed', cpuMs: 0, memoryBytes: 0, disposed: true } as const
    send({ type: 'ended', id, ...ended }, JSON.stringify(thrown))
  }

  const start = async (message: FirstMessage, body: string): Promise<void> => {
    if (message.type === 'load') {
      opening.set(message.id, true)
      const sandbox = await open(message.memoryMb)
      const isWanted = opening.get(message.id)
      opening.delete(message.id)
      if (!isWanted) {
        sandbox.dispose()
        refuse(message.id, 'It was given up')
        return
      }
      sandboxes.get(message.version)?.dispose()
      sandboxes.set(message.version, sandbox)
      await begin(message, sandbox).load(body)
      return
    }
    const sandbox = sandboxes.get(message.version)
    // The one that it was to follow took the isolate with it, and the engine did not know yet.
    if (sandbox === undefined && message.type === 'run' && message.after !== null) notBegun(message.id)
    else if (sandbox === undefined) refuse(message.id, 'This version is not loaded')
    else if (message.type === 'run') lines.get(sandbox)?.add({ message, body })
    else begin(message, sandbox).close()
  }
  const handle = (message: ToChild, body: string): void => {
    switch (message.type) {
      case 'ping':
        send({ type: 'pong' })
        break
      case 'answer':
        tasks.get(message.id)?.answer(message.call, message.ok, body)
        break
      case 'recall': {
        const sandbox = sandboxes.get(message.version)
        if (sandbox !== undefined) lines.get(sandbox)?.recall()
        break
      }
      case 'abandon':
        if (opening.has(message.id)) opening.set(message.id, false)
        else tasks.get(message.id)?.abandon()
        break
      case 'load':
      case 'unload':
      case 'run':
        start(message, body).catch(() => refuse(message.id, 'The isolate could not be made'))
        break
      default:
        message satisfies never
    }
  }

  readFrames(
    pipe,
    (header, body) => handle(header as ToChild, body),
    () => pipe.destroy(),
  )
  setInterval(() => send({ type: 'alive' }), heartbeatMs)
  send({ type: 'ready' })
}
