/**
 * Every setting: its name, default and meaning. The only reader of the environment, and of `onstable.json`.
 */
import { z } from 'zod'
import { fault, messageOf } from './errors.ts'
import { meant } from './lib/nearest.ts'
import {
  aeTitle,
  brokerName,
  brokerUrl,
  days,
  grant,
  httpUrl,
  isWhole,
  megabytes,
  modality,
  nodeName,
  number,
  port,
  seconds,
  stabilityRule,
  storeUrl,
  strings,
} from './lib/setting-values.ts'
import { readSettingsFile } from './lib/settings-file.ts'

/** The settings. `describe` is what the README's table says of each. */
export const settingsSchema = z
  .strictObject({
    data: z.string().min(1).default('data').describe('Folder of the database and the DICOM files'),
    scripts: z.string().min(1).default('scripts').describe('Folder of the callback scripts'),
    host: z.string().min(1).default('127.0.0.1').describe('Address to listen on, for HTTP and DICOM'),
    httpPort: port.default(8042).describe('Port of the REST interface'),
    dicomPort: port.default(4242).describe('Port of the DICOM receiver'),
    dicomAet: aeTitle.default('ONSTABLE').describe('AE title of the DICOM receiver'),
    name: z.string().default('OnStable').describe('Name that `/system` shows'),
    token: z
      .string()
      .min(16, 'Expected at least 16 characters')
      .optional()
      .describe('Bearer token that every request then needs; required on any address but loopback'),
    allowedHosts: strings
      .default([])
      .describe('Further `Host` names under which the server may be addressed'),
    callingAets: strings.default([]).describe('AE titles that may send; empty: any'),
    callingAddresses: strings.default([]).describe('IP addresses that may send by DICOM; empty: any'),
    checkCalledAet: z
      .stringbool()
      .or(z.boolean())
      .default(false)
      .describe('Refuse associations to another AE title'),
    maxInstanceMb: number('megabytes, more than 0 and at most 4096', (value) => value > 0 && value <= 4_096)
      .default(1024)
      .describe('Largest instance accepted'),
    maxAssociations: number('a whole number from 1 on', (value) => isWhole(value) && value >= 1)
      .default(64)
      .describe('Most DICOM associations at a time'),
    overwriteInstances: z
      .enum(['Never', 'Always', 'IfChanged'])
      .default('Never')
      .describe(
        'What happens to an instance that is there already: `Never`, `Always` or `IfChanged` replaced',
      ),
    stableAge: seconds.default(60).describe('Seconds without a new instance until a resource is stable'),
    maxWait: seconds
      .optional()
      .describe('Seconds after which a resource counts as stable though instances still come'),
    stability: z
      .array(stabilityRule)
      .default([])
      .describe('Other ages by `level`, `modality` and `remoteAet`: the longest of those that match counts'),
    scriptsMemoryMb: number('megabytes from 256 on', (value) => isWhole(value) && value >= 256)
      .default(1_536)
      .describe('Megabytes that a process of scripts may hold before it is ended'),
    maxEchoes: number('a whole number from 1 on', (value) => isWhole(value) && value >= 1)
      .default(20)
      .describe(
        'How often in a row a script may be woken for one resource by what it sent or posted itself, before it is suspended',
      ),
    logKeepDays: days.default(365).describe('Days that changes are kept that every script has been told of'),
    logMaxBehind: number('a whole number from 1000 on', (value) => isWhole(value) && value >= 1_000)
      .default(10_000_000)
      .describe('Changes that are kept for a script that is behind; further behind it is suspended'),
    logMaxMb: megabytes
      .default(8_192)
      .describe(
        'Megabytes that the log may take; the oldest changes go first that every script has been told of',
      ),
    runsKeepDays: days.default(7).describe('Days that runs are kept that ended well'),
    failuresKeepDays: days
      .default(90)
      .describe('Days that failed runs are kept; those of a dead delivery, until that is retried or dropped'),
    runsMaxMb: megabytes.default(1_024).describe('Megabytes that all runs may take; the oldest go first'),
    modalities: z
      .record(z.string(), modality)
      .default({})
      .describe('DICOM receivers that scripts may send to'),
    grants: z.record(z.string(), grant).default({}).describe('What each script may do: `send`, `http`'),
    logLevel: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('Least level logged: `debug`, `info`, `warn`, `error` or `silent`'),
    store: storeUrl
      .default('sqlite')
      .describe(
        'Where the index is kept: `sqlite`, under `data`, or the URL of a PostgreSQL database that several servers share',
      ),
    node: nodeName
      .optional()
      .describe('Name of this server among those that share the store. Default: host name and HTTP port'),
    rabbitmq: brokerUrl
      .optional()
      .describe(
        'URL of a RabbitMQ that changes are published to, and that other archives announce instances by: `amqp://user:password@host:5672/vhost`',
      ),
    rabbitmqExchange: brokerName
      .default('onstable')
      .describe('Topic exchange that every change is published to; empty: none is'),
    rabbitmqQueue: brokerName
      .default('onstable.in')
      .describe('Queue of instances that are held elsewhere, and of commands; empty: none is read'),
    orthancs: z
      .array(httpUrl)
      .default([])
      .describe('REST interfaces of archives that announce instances by their identifier alone'),
    crashAt: z.string().optional().describe('For tests: the point at which the process kills itself'),
  })
  .refine(({ maxWait, stableAge }) => maxWait === undefined || maxWait > stableAge, {
    path: ['maxWait'],
    message: 'Expected "maxWait" to be longer than "stableAge"',
  })
  .refine(({ node, store }) => node === undefined || store !== 'sqlite', {
    path: ['node'],
    message: 'It names one of several servers that share a store: set "store" to their PostgreSQL, too',
  })
export type Settings = Readonly<z.infer<typeof settingsSchema>>
export type SettingName = keyof Settings

const names = Object.keys(settingsSchema.shape) as SettingName[]

/** `stableAge` → `ONSTABLE_STABLE_AGE`. */
export function variableOf(name: string): string {
  return `ONSTABLE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** `stableAge` → `--stable-age`; null for what has too much structure for a flag. */
export function flagOf(name: SettingName): string | null {
  const structured: readonly SettingName[] = [
    'allowedHosts',
    'callingAets',
    'callingAddresses',
    'stability',
    'modalities',
    'grants',
    'orthancs',
    'crashAt',
  ]
  return structured.includes(name)
    ? null
    : `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/**
 * Reads the settings: flags before variables before the file before defaults.
 * @param flags values given on the command line, by setting name
 * @param environment usually `process.env`
 * @param file path of the settings file; null: `onstable.json` if there is one
 * @throws `bad-setting`, naming the setting and where it came from
 */
export function readSettings(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
  file: string | null,
): Settings {
  const fromFile = readSettingsFile(file ?? environment.ONSTABLE_CONFIG ?? null)
  const merged: Record<string, unknown> = {}
  const source: Record<string, string> = {}
  const take = (name: string, value: unknown, from: string) => {
    if (!(names as string[]).includes(name)) {
      throw fault('bad-setting', `Unknown setting ${from}: ${meant(name, names)}`)
    }
    merged[name] = value
    source[name] = from
  }
  for (const [name, value] of Object.entries(fromFile.values))
    take(name, value, `"${name}" in ${fromFile.path}`)
  for (const [variable, value] of Object.entries(environment)) {
    if (!/^ONSTABLE_(?!CONFIG$|TEST_)/.test(variable) || value === undefined) continue
    const name = names.find((candidate) => variableOf(candidate) === variable)
    if (name === undefined) {
      const advice = meant(variable, names.map(variableOf))
      throw fault('bad-setting', `Unknown setting "${variable}" in the environment: ${advice}`)
    }
    take(name, parseVariable(name, value), `"${variable}" in the environment`)
  }
  for (const [name, value] of Object.entries(flags)) {
    if (value !== undefined) take(name, value, `"--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}"`)
  }
  const parsed = settingsSchema.safeParse(merged)
  if (parsed.success) return Object.freeze(parsed.data)
  throw badValue(parsed.error.issues, source)
}

/** Keys of the settings that have a structure of their own. */
const keysIn: Readonly<Record<string, readonly string[]>> = {
  modalities: Object.keys(modality.shape),
  stability: Object.keys(stabilityRule.shape),
  grants: Object.keys(grant.shape),
}

function badValue(issues: readonly z.core.$ZodIssue[], source: Readonly<Record<string, string>>) {
  // A key that is misspelt is missing, too; the misspelling says more.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!
  const [name = '', ...path] = issue.path.map(String)
  const place = path.length > 0 ? ` at ${path.join('.')}` : ''
  const reason =
    issue.code === 'unrecognized_keys'
      ? `Unknown key "${issue.keys[0]}": ${meant(issue.keys[0]!, keysIn[name] ?? [])}`
      : issue.message
  return fault('bad-setting', `Bad value for setting ${source[name] ?? `"${name}"`}${place}: ${reason}`)
}

function parseVariable(name: SettingName, value: string): unknown {
  const wantsList = ['allowedHosts', 'callingAets', 'callingAddresses', 'orthancs'].includes(name)
  if (wantsList) return value.split(',').filter((item) => item !== '')
  if (!['stability', 'modalities', 'grants'].includes(name)) return value
  try {
    return JSON.parse(value)
  } catch (cause) {
    throw fault('bad-setting', `Setting "${variableOf(name)}" is not JSON: ${messageOf(cause)}`, { cause })
  }
}
