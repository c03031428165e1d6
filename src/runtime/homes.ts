/**
 * In which child a version runs: the shared one; one that is its script's own, because the script asks for that
 * (`isolation: 'process'`) or because it has ended shared ones; or one that all share which loop.
 */
import type { ChildProcess } from './child-process.ts'
import type { Children } from './children.ts'
import type { Conduct } from './conduct.ts'
import type { Program } from './runtime.ts'
import type { Priority } from './spawn.ts'

interface Home {
  readonly child: Promise<ChildProcess>
  readonly versions: Set<string>
}

type Manners = Pick<Conduct, 'isAlone' | 'isLooping'>

const homeOfLoops = 'loops'
const ownHomeOf = ({ script, isUrgent = false }: Program) => `${isUrgent ? 'urgent' : 'usual'} ${script}`

export class Homes {
  readonly #children: Pick<Children, 'current' | 'startOwn'>
  readonly #conduct: Manners
  /** But for the shared child. All versions of a script that are alone share one, those of it that are urgent another. */
  readonly #homes = new Map<string, Home>()

  constructor(children: Pick<Children, 'current' | 'startOwn'>, conduct: Manners) {
    this.#children = children
    this.#conduct = conduct
  }

  /** The child to run it in; waits while one starts. Rejects once the children are closed. */
  async childFor(program: Program): Promise<ChildProcess> {
    const { version, isolation, isUrgent = false } = program
    if (isolation === 'process' || this.#conduct.isAlone(version))
      return this.#enter(ownHomeOf(program), version, isUrgent ? 'urgent' : 'usual')
    if (this.#conduct.isLooping(version)) return this.#enter(homeOfLoops, version, 'last')
    return this.#children.current
  }

  /** A version is unloaded: a child that nobody lives in any more is ended. */
  async leave(program: Program): Promise<void> {
    await Promise.all([ownHomeOf(program), homeOfLoops].map((name) => this.#leave(name, program.version)))
  }

  #enter(name: string, version: string, priority: Priority): Promise<ChildProcess> {
    const home = this.#homes.get(name) ?? this.#open(name, priority)
    home.versions.add(version)
    return home.child
  }

  async #leave(name: string, version: string): Promise<void> {
    const home = this.#homes.get(name)
    if (home === undefined || !home.versions.delete(version) || home.versions.size > 0) return
    this.#homes.delete(name)
    const child = await home.child.catch(() => null)
    await child?.close()
  }

  #open(name: string, priority: Priority): Home {
    const home: Home = { child: this.#children.startOwn(priority), versions: new Set() }
    this.#homes.set(name, home)
    const forget = () => {
      if (this.#homes.get(name) === home) this.#homes.delete(name)
    }
    // Registered before anybody else waits for its end, so that whoever does finds it forgotten.
    home.child.then((child) => void child.gone.then(forget), forget)
    return home
  }
}
