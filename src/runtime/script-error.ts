/**
 * Errors of scripts as their authors should see them: places in the source file, nothing of this machine.
 */
import { SourceMap } from 'node:module'
import { basename, isAbsolute } from 'node:path'
import { codeName } from './caps.ts'
import type { WireThrown } from './protocol.ts'
import type { ScriptError } from './runtime.ts'

export interface Place {
  readonly file: string
  /** Both from 1. */
  readonly line: number
  readonly column: number
}

/** Where in the source a place of the bundle comes from; null if the map does not say. */
export type FindPlace = (line: number, column: number) => Place | null

/** Frames of what surrounds the script in its isolate. */
const ownFrames = /\n[ \t]+at [^\n]*\bonstable:(?!script:)[^\n]*/g
const bundlePlaces = new RegExp(`${codeName}:(\\d{1,9}):(\\d{1,9})`, 'g')

/** @param sourceMap JSON; read when it is first needed. Without a usable one, no place is found. */
export function placeFinder(sourceMap: string): FindPlace {
  let map: SourceMap | null | undefined
  return (line, column) => {
    if (map === undefined) map = parseSourceMap(sourceMap)
    const entry = map?.findEntry(line - 1, column - 1)
    if (entry === undefined || !('originalSource' in entry) || entry.originalSource === undefined) return null
    const { originalSource, originalLine, originalColumn } = entry
    return {
      file: fileOf(originalSource),
      line: originalLine + 1,
      column: originalColumn + 1,
    }
  }
}

const packages = 'node_modules/'

/** A file of the scripts folder by its path inside it, one of a package without where that is installed. */
function fileOf(source: string): string {
  if (source.includes(packages)) return source.slice(source.lastIndexOf(packages))
  const isElsewhere = isAbsolute(source) || source.includes('://') || source.startsWith('../')
  return isElsewhere ? basename(source) : source.replace(/^\.\//, '')
}

/** Rewrites every place of the bundle in a text, such as a stack that was logged. */
export function mapPlaces(text: string, findPlace: FindPlace): string {
  if (!text.includes('onstable:')) return text
  return text.replace(ownFrames, '').replace(bundlePlaces, (_, line, column) => {
    const place = findPlace(Number(line), Number(column))
    return place === null ? 'script' : `${place.file}:${place.line}:${place.column}`
  })
}

/** The error as the author should see it: of the stack, only frames of the script are kept. */
export function scriptError(thrown: WireThrown, findPlace: FindPlace): ScriptError {
  const message = mapPlaces(thrown.message.replace(/ \[onstable:[^\][]*\]$/, ''), findPlace)
  const frames = thrown.stack
    .split('\n')
    .filter((frame) => (/^\s*at /.test(frame) ? frame.includes(codeName) : frame.startsWith('Caused by: ')))
  const places = [...`${thrown.stack}\n${thrown.message}`.matchAll(bundlePlaces)].flatMap(
    ([, line, column]) => findPlace(Number(line), Number(column)) ?? [],
  )
  // The author's own line, also where a package threw.
  const place = places.find(({ file }) => !file.startsWith(packages)) ?? places[0]
  return {
    name: thrown.name,
    message,
    stack: [`${thrown.name}: ${message}`, ...frames.map((frame) => mapPlaces(frame, findPlace))].join('\n'),
    file: place?.file ?? null,
    line: place?.line ?? null,
    column: place?.column ?? null,
  }
}

function parseSourceMap(sourceMap: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(sourceMap))
  } catch {
    return null
  }
}
