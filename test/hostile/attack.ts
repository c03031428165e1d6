/** An attack as data, and the script that makes it. */

/** How a run may end, and what becomes of a script that is not even loaded. */
export const outcomes = [
  'ok',
  'threw',
  'timed-out',
  'out-of-memory',
  'crashed',
  'refused',
  'skipped',
] as const
export type Outcome = (typeof outcomes)[number]

export interface Attack {
  /** Names the row for ever. */
  readonly number: number
  readonly name: string
  /** The callback that attacks, as an expression; without, the attack is in what surrounds it. */
  readonly callback?: string
  /** Code at the top level, before the callbacks. */
  readonly top?: string
  /** Properties of the manifest other than the usual ones. */
  readonly manifest?: string
  /** The text of the whole file, if it is not made of the parts above. */
  readonly file?: () => string
  /** Instances that come before the one that is attacked with. */
  readonly instancesBefore?: number
  /** The run is handed to the isolate ahead of its turn, behind a harmless one. */
  readonly isAhead?: boolean
  /** A harmless version follows at once, so that `finalize` is called while others are at work. */
  readonly isReplaced?: boolean
  /** The outcomes that are right. */
  readonly outcomes: readonly Outcome[]
}

/** Ends of what only a limit can end. */
export const time: readonly Outcome[] = ['timed-out']
export const timeOrMemory: readonly Outcome[] = ['timed-out', 'out-of-memory']
/** What the language itself may refuse, by an error that the script may catch. */
export const limitOrError: readonly Outcome[] = ['timed-out', 'out-of-memory', 'threw']
/** What is harmless on a machine that is fast enough. */
export const limitOrNothing: readonly Outcome[] = ['timed-out', 'out-of-memory', 'threw', 'ok']
export const error: readonly Outcome[] = ['threw']
export const nothing: readonly Outcome[] = ['ok']
export const refused: readonly Outcome[] = ['refused']

/** A script that gets out says this word, and nobody else does. */
export const escapeWord = 'ESCAPED'

/** What the harmless callbacks of a row log. */
export function harmlessLine({ number }: Pick<Attack, 'number'>): string {
  return `harmless ${number}`
}

/**
 * The callback that attacks. An instance is told first, then its series, study and patient; so there is always a
 * harmless run before the attack, after which several are handed over at once, and one behind it.
 */
export function attackingCallback({ isAhead = false }: Attack): 'onNewSeries' | 'onNewStudy' {
  return isAhead ? 'onNewStudy' : 'onNewSeries'
}

/** The script of a row: an attack between harmless callbacks. */
export function scriptOf(attack: Attack): string {
  const { number, name, top = '', callback = '() => {}', manifest = '', file } = attack
  if (file !== undefined) return file()
  const attacking = attackingCallback(attack)
  const harmless = ['onStoredInstance', 'onNewSeries', 'onNewStudy', 'onNewPatient']
    .filter((each) => each !== attacking)
    .map((each) => `export const ${each} = () => say('${harmlessLine(attack)}')`)
  return [
    `// ${number}: ${name}`,
    `export const script = { retry: { attempts: 1 }, timeout: '500ms', memoryMb: 32, ${manifest} }`,
    'const say = console.log',
    ...harmless,
    `;${top}`,
    `export const ${attacking} = ${callback}`,
    '',
  ].join('\n')
}
