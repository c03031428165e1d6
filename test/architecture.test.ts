/** The rules of the map in src/README.md, checked against the code. Each failure lists what breaks the rule. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { expect, test } from 'vitest'
import { root, type SourceFile, sourceFiles } from './support/source-files.ts'

const map = readFileSync(join(root, 'src/README.md'), 'utf8')
const sources = sourceFiles('src')
const everything = [...sources, ...sourceFiles('sandbox'), ...sourceFiles('bench'), ...sourceFiles('docs')]

/** The line of the map that says what is left of what: one list for each place in it. */
const places = /^`(errors [^`]*\|[^`]*)`$/m
  .exec(map)![1]!
  .split('|')
  .map((names) => names.trim().split(' '))

/** `src/store/sqlite/tick.ts` and `src/store/store.ts` → `store`, `src/engine.ts` → `engine`. */
function stageOf(path: string): string {
  return path.split(sep)[1]!.replace(/\.ts$/, '')
}

function placeOf(path: string): number {
  return places.findIndex((names) => names.includes(stageOf(path)))
}

function isDoor(path: string): boolean {
  return basename(path, '.ts') === basename(dirname(path))
}

function importsBetweenStages() {
  return sources.flatMap((source) =>
    source.imports.flatMap(({ target, isTypeOnly }) =>
      target?.startsWith('src/') && stageOf(target) !== stageOf(source.path)
        ? [{ from: source.path, to: target, isTypeOnly }]
        : [],
    ),
  )
}

test('every stage has its place in the map', () => {
  const unplaced = [
    ...new Set(sources.filter(({ path }) => placeOf(path) === -1).map(({ path }) => stageOf(path))),
  ]
  expect(unplaced).toEqual([])
  expect(places.flat().filter((name) => !sources.some(({ path }) => stageOf(path) === name))).toEqual([])
})

test('imports go from right to left in the line of the map, and beside only for types', () => {
  const wrong = importsBetweenStages().filter(({ from, to, isTypeOnly }) => {
    const distance = placeOf(from) - placeOf(to)
    const isFoundation = placeOf(from) === 0 && placeOf(to) === 0
    return distance < 0 || (distance === 0 && !isTypeOnly && !isFoundation)
  })
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
})

test('from outside a folder only its door is imported', () => {
  const wrong = importsBetweenStages().filter(({ to }) => {
    const isSingleFile = dirname(to) === 'src'
    return !isSingleFile && stageOf(to) !== 'lib' && !(isDoor(to) && dirname(to) === join('src', stageOf(to)))
  })
  expect(wrong.map(({ from, to }) => `${from} imports ${to}, which is no door`)).toEqual([])
})

test('no file imports itself over others', () => {
  expect(cyclesOf(sources)).toEqual([])
})

test('what runs in the sandbox process and what does not are apart', () => {
  const child = join('src', 'runtime', 'child')
  const wrong = sources.flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier, target }) => {
      const isInside = path.startsWith(child + sep)
      if (specifier === 'isolated-vm' && !isInside) return [`${path} imports isolated-vm`]
      if (target?.startsWith(child + sep) && !isInside) return [`${path} imports ${target}`]
      const isOwn =
        target === null || target.startsWith(join('src', 'runtime')) || target.startsWith(join('src', 'lib'))
      return isInside && !isOwn ? [`${path} imports ${target}`] : []
    }),
  )
  expect(wrong).toEqual([])
})

test('only the settings and the command line see the environment', () => {
  const readers = ['src/main.ts', 'src/config.ts']
  const wrong = sources.filter(
    ({ path, code }) => /process\.env\b(?!\.NODE_ENV)/.test(code) && !readers.includes(path),
  )
  expect(wrong.map(({ path }) => path)).toEqual([])
})

test('no module keeps state', () => {
  const wrong = sources.filter(({ code }) => /^(export )?(let|var) /m.test(code))
  expect(wrong.map(({ path }) => path)).toEqual([])
})

test('no file is longer than 250 lines', () => {
  const long = everything.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
  expect(long.filter(({ lines }) => lines > 250).map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual(
    [],
  )
})

test('every file opens by saying what it is for', () => {
  const silent = everything.filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text))
  expect(silent.map(({ path }) => path)).toEqual([])
})

test('names say what a file is about, in kebab-case', () => {
  const vague = /^(index|utils?|helpers?|common|misc|types|managers?|service|constants)$/
  const wrong = everything.filter(({ path }) => {
    const name = basename(path).replace(/(\.d)?\.[jt]s$/, '')
    return vague.test(name) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)
  })
  expect(wrong.map(({ path }) => path)).toEqual([])
})

test('the tree of the map is that of the disk: every folder, every door, every single file', () => {
  expect([...namesInMap()].sort()).toEqual([...namesOnDisk()].sort())
})

/** Folders as `store/sqlite/`, doors and single files as `store/store.ts`. */
function namesOnDisk(): Set<string> {
  const names = new Set<string>()
  const visit = (folder: string) => {
    for (const entry of readdirSync(join(root, 'src', folder), { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) {
        names.add(`${path}/`)
        visit(path)
      } else if (folder === '' || isDoor(join('src', path))) {
        names.add(path)
      }
    }
  }
  visit('')
  return names
}

function namesInMap(): Set<string> {
  const tree = /```\nsrc\/\n([\s\S]*?)```/.exec(map)?.[1] ?? ''
  const names = new Set<string>()
  const above: string[] = []
  for (const line of tree.split('\n')) {
    const [, indent, name] = /^( +)(\S+\/|\S+\.(?:ts|md))/.exec(line) ?? []
    if (indent === undefined || name === undefined) continue
    const depth = indent.length / 2 - 1
    above.length = depth
    names.add(above.join('') + name)
    above[depth] = name
  }
  return names
}

/** Each cycle of imports that remain when the program runs, as `a.ts → b.ts → a.ts`. */
function cyclesOf(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    if (done.has(path)) return
    for (const { target, isTypeOnly } of byPath.get(path)?.imports ?? []) {
      if (target !== null && !isTypeOnly) visit(target, [...trail, path])
    }
    done.add(path)
  }
  for (const { path } of files) visit(path, [])
  return cycles
}

test('every import of a file leads to a file', () => {
  const missing = everything.flatMap(({ path, imports }) =>
    imports.flatMap(({ target }) =>
      target === null || existsSync(join(root, target))
        ? []
        : [`${path} imports ${target}, which is not there`],
    ),
  )
  expect(missing).toEqual([])
})
