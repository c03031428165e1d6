/**
 * In which child a version runs: the shared one, or one that is its script's own, because the script asks for that
 * (`isolation: 'process'`) or because it has ended shared ones.
 */
import type { ChildProcess } from './child-process.ts'
import type { Children } from './children.ts'
import type { Conduct } from './conduct.ts'
import type { Program } from './runtime.ts'

interface OwnHome {
  readonly child: Promise<ChildProcess>
  readonly versions: Set<string>
}

const nameOf = ({ script, isUrgent = false }: Program) => `${isUrgent ? 'urgent' : 'usual'} ${script}`

export class Homes {
  readonly #children: Children
  readonly #conduct: Pick<Conduct, 'isAlone'>
  /** All versions of a script that are alone share one, and those of it that are urgent another. */
  readonly #own = new Map<string, OwnHome>()

  constructor(children: Children, conduct: Pick<Conduct, 'isAlone'>) {
    this.#children = children
    this.#conduct = conduct
  }

  /** The child to run it in; waits while one starts. Rejects once the children are closed. */
  async childFor(program: Program): Promise<ChildProcess> {
    const { version, isolation } = program
    if (isolation !== 'process' && !this.#conduct.isAlone(version)) return this.#children.current
    const home = this.#own.get(nameOf(program)) ?? this.#open(program)
    home.versions.add(version)
    return home.child
  }

  /** A version is unloaded: a child that nobody lives in any more is ended. */
  async leave(program: Program): Promise<void> {
    const name = nameOf(program)
    const home = this.#own.get(name)
    if (home === undefined || !home.versions.delete(program.version) || home.versions.size > 0) return
    this.#own.delete(name)
    const child = await home.child.catch(() => null)
    await child?.close()
  }

  #open(program: Program): OwnHome {
    const name = nameOf(program)
    const home: OwnHome = { child: this.#children.startOwn(program.isUrgent), versions: new Set() }
    this.#own.set(name, home)
    const forget = () => {
      if (this.#own.get(name) === home) this.#own.delete(name)
    }
    // Registered before anybody else waits for its end, so that whoever does finds it forgotten.
    home.child.then((child) => void child.gone.then(forget), forget)
    return home
  }
}
