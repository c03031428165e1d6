/** A disk of its own that is soon full, or that nobody may write: a memory file system, mounted for the scope. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk extends Disposable {
  /** Where it is mounted. */
  readonly path: string
  /** Takes all the room that is left, in a file beside what a test writes. */
  fill(): void
  /** Gives back the room that was taken. */
  makeRoom(): void
  /** Nothing can be written any more, not even by the superuser. */
  makeReadOnly(): void
}

/** Mounting needs the superuser of a Linux machine: tests that need it are skipped without. */
export const canMount = process.platform === 'linux' && process.getuid?.() === 0 && tryToMount()

export interface DiskOptions {
  readonly sizeBytes: number
  /** How many files and folders it can have, its root included. */
  readonly mostFiles?: number
  /** An existing folder to mount it on; a temporary one without. */
  readonly at?: string
}

export function smallDisk({ sizeBytes, mostFiles, at }: DiskOptions): SmallDisk {
  const path = at ?? mkdtempSync(join(tmpdir(), 'onstable-disk-'))
  const limits = `size=${sizeBytes}${mostFiles === undefined ? '' : `,nr_inodes=${mostFiles}`}`
  mount('-t', 'tmpfs', '-o', limits, 'tmpfs', path)
  const filler = join(path, 'filler')
  return {
    path,
    fill() {
      for (let bytes = sizeBytes; bytes >= 1; bytes = Math.floor(bytes / 2)) {
        try {
          writeFileSync(filler, Buffer.alloc(bytes), { flag: 'a' })
        } catch {}
      }
    },
    makeRoom: () => rmSync(filler),
    makeReadOnly: () => mount('-o', 'remount,ro', path),
    [Symbol.dispose]() {
      execFileSync('umount', ['--lazy', path], { stdio: 'ignore' })
      if (at === undefined) rmSync(path, { recursive: true, force: true })
    },
  }
}

/** A disk that knows no writing past the cache, mounted for the scope. */
export function cachedDisk(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'onstable-disk-'))
  mount('-t', 'ramfs', 'ramfs', path)
  return {
    path,
    [Symbol.dispose]() {
      execFileSync('umount', ['--lazy', path], { stdio: 'ignore' })
      rmSync(path, { recursive: true, force: true })
    },
  }
}

function mount(...parameters: string[]): void {
  execFileSync('mount', parameters, { stdio: 'ignore' })
}

function tryToMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'onstable-disk-'))
  try {
    mkdirSync(join(path, 'inner'))
    smallDisk({ sizeBytes: 65_536, at: join(path, 'inner') })[Symbol.dispose]()
    return true
  } catch {
    return false
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}
