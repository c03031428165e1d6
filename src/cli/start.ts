/** `onstable start`: the server, until it is told to stop. */
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { flagOf, type SettingName, type Settings, settingsSchema, variableOf } from '../config.ts'
import { giveBackMemory } from '../lib/give-back-memory.ts'
import { closeInheritedDescriptors } from '../lib/inherited-descriptors.ts'
import { createLog } from '../log.ts'
import { onInterrupt } from './interrupt.ts'
import { addConfigOption, type Session, settingsOf } from './session.ts'

type StartOptions = Partial<Record<SettingName, string | boolean>> & {
  readonly config?: string
  readonly json?: boolean
}

export function addStartCommand(program: Command, session: Session): void {
  const command = addConfigOption(program.command('start').description('start the server'))
  for (const [name, schema] of Object.entries(settingsSchema.shape) as [
    SettingName,
    { description?: string },
  ][]) {
    const flag = flagOf(name)
    if (flag === null) continue
    const value = name === 'checkCalledAet' ? '' : ' <value>'
    const meaning = (schema.description ?? '').replaceAll('`', '"')
    command.addOption(new Option(`${flag}${value}`, `${meaning} [${variableOf(name)}]`))
  }
  command
    .addHelpText(
      'after',
      '\nSettings come from flags, then ONSTABLE_* variables, then onstable.json, then defaults.\n\n' +
        'Examples:\n  $ onstable start\n  $ onstable start --data /var/lib/onstable --http-port 8043 --stable-age 30',
    )
    .action(({ config, json, ...flags }: StartOptions) =>
      start(session, settingsOf(session, config, flags), json === true),
    )
}

async function start(session: Session, settings: Settings, json: boolean): Promise<void> {
  closeInheritedDescriptors()
  const asked = Promise.withResolvers<void>()
  let isUp = false
  // Before it is up nothing was promised to anybody, and it may be waiting for a database that does not come.
  const stopListening = onInterrupt(
    () => {
      if (isUp) return asked.resolve()
      session.complain('stopped before it had started')
      process.exit(1)
    },
    () => process.exit(1),
  )
  try {
    const log = createLog(settings.logLevel)
    const { startEngine } = await import('../engine.ts')
    giveBackMemory()
    const engine = await startEngine(settings, log)
    isUp = true
    try {
      const scripts = resolve(settings.scripts)
      const { url, dicomPort } = engine
      if (json) session.print(JSON.stringify({ url, dicomAet: settings.dicomAet, dicomPort, scripts }))
      else
        session.print(
          `OnStable serves ${url}, receives DICOM as ${settings.dicomAet} on ${settings.host}:${dicomPort}, and runs the scripts in ${scripts}`,
        )
      await asked.promise
    } finally {
      await engine.close()
    }
  } finally {
    stopListening()
  }
}
