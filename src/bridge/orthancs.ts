/** Asks other archives for the tags of an instance of which only the identifier is known. */
import { z } from 'zod'
import { type Header, headerOfTags } from '../dicom/dicom.ts'
import { fault, messageOf } from '../errors.ts'

const tags = z.record(z.string(), z.string())
const instance = z.object({ MainDicomTags: tags, ParentSeries: z.string() })
const series = z.object({ MainDicomTags: tags, ParentStudy: z.string() })
const study = z.object({ MainDicomTags: tags, PatientMainDicomTags: tags })

type Tags = z.infer<typeof tags>

export interface Orthancs {
  /**
   * @throws `unknown-resource` if none of them has it, `bad-message` if there is none to ask, and `http-failed` if one
   *   does not answer and no other has it
   */
  headerOf(instanceId: string, signal: AbortSignal): Promise<Header>
}

const answerMs = 10_000
/** Series that were asked for and are remembered; most instances come one after the other. */
const remembered = 1_000

/** @param urls of their REST interfaces, with user and password where they want one */
export function openOrthancs(urls: readonly string[]): Orthancs {
  const orthancs = urls.map(openOrthanc)
  return {
    async headerOf(instanceId, signal) {
      if (orthancs.length === 0)
        throw fault(
          'bad-message',
          'It names an instance by its identifier only: set "orthancs" to the servers that have its tags',
        )
      let failure: unknown
      for (const orthanc of orthancs) {
        try {
          const header = await orthanc.headerOf(instanceId, signal)
          if (header !== null) return header
        } catch (error) {
          failure = error
        }
      }
      if (failure !== undefined) throw failure
      throw fault('unknown-resource', `None of "orthancs" has the instance ${instanceId}`)
    },
  }
}

function openOrthanc(given: string) {
  const url = new URL(given)
  const base = `${url.origin}${url.pathname.replace(/\/$/, '')}`
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  const headers: Record<string, string> =
    url.username === '' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
  const parents = new Map<string, Tags>()

  /** Null: there is no such resource. */
  const get = async <T>(path: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T | null> => {
    try {
      const response = await fetch(base + path, {
        headers,
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
      })
      if (response.status === 404) return null
      if (!response.ok) throw new Error(`it answered ${response.status}`)
      return schema.parse(await response.json())
    } catch (cause) {
      throw fault('http-failed', `GET ${base}${path}: ${reasonOf(cause)}`, { cause })
    }
  }
  /** Of its series, its study and its patient. */
  const parentTags = async (id: string, signal: AbortSignal): Promise<Tags | null> => {
    const known = parents.get(id)
    if (known !== undefined) return known
    const found = await get(`/series/${id}`, series, signal)
    const above = found === null ? null : await get(`/studies/${found.ParentStudy}`, study, signal)
    if (found === null || above === null) return null
    const all = { ...above.PatientMainDicomTags, ...above.MainDicomTags, ...found.MainDicomTags }
    if (parents.size >= remembered) parents.clear()
    parents.set(id, all)
    return all
  }
  return {
    async headerOf(instanceId: string, signal: AbortSignal): Promise<Header | null> {
      const found = await get(`/instances/${instanceId}`, instance, signal)
      const above = found === null ? null : await parentTags(found.ParentSeries, signal)
      if (found === null || above === null) return null
      return headerOfTags({ ...above, ...found.MainDicomTags })
    },
  }
}

/** `fetch` says why only in the cause. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown }
  return cause instanceof Error ? messageOf(cause) : messageOf(error)
}
