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

export class Homes {
  readonly #children: Children
  readonly #conduct: Pick<Conduct, 'isAlone'>
  /** By the name of the script: all its versions that are alone share one. */
  readonly #own = new Map<string, OwnHome>()

  constructor(children: Children, conduct: Pick<Conduct, 'isAlone'>) {
    this.#children = children
    this.#conduct = conduct
  }

  /** The child to run it in; waits while one starts. Rejects once the children are closed. */
  async childFor({ script, version, isolation }: Program): Promise<ChildProcess> {
    if (isolation !== 'process' && !this.#conduct.isAlone(version)) return this.#children.current
    const home = this.#own.get(script) ?? this.#open(script)
    home.versions.add(version)
    return home.child
  }

  /** A version is unloaded: a child that nobody lives in any more is ended. */
  async leave({ script, version }: Program): Promise<void> {
    const home = this.#own.get(script)
    if (home === undefined || !home.versions.delete(version) || home.versions.size > 0) return
    this.#own.delete(script)
    const child = await home.child.catch(() => null)
    await child?.close()
  }

  #open(script: string): OwnHome {
    const home: OwnHome = { child: this.#children.startOwn(), versions: new Set() }
    this.#own.set(script, home)
    const forget = () => {
      if (this.#own.get(script) === home) this.#own.delete(script)
    }
    // Registered before anybody else waits for its end, so that whoever does finds it forgotten.
    home.child.then((child) => void child.gone.then(forget), forget)
    return home
  }
}
