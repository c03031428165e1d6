/** A script of 20 KB such as a hospital grows: a table of rules, functions, and a callback that uses both. */

const modalities = ['CT', 'MR', 'CR', 'DX', 'US', 'XA', 'NM', 'PT', 'MG', 'RF']
const parts = ['HEAD', 'CHEST', 'ABDOMEN', 'SPINE', 'KNEE', 'HAND']
const fields = [
  'PatientID',
  'PatientName',
  'PatientBirthDate',
  'PatientSex',
  'AccessionNumber',
  'StudyDate',
  'StudyTime',
  'StudyDescription',
  'ReferringPhysicianName',
  'InstitutionName',
  'SeriesDescription',
  'ProtocolName',
  'BodyPartExamined',
  'StationName',
  'Manufacturer',
  'PerformedProcedureStepDescription',
  'RequestedProcedureDescription',
  'OperatorsName',
  'DeviceSerialNumber',
]

/**
 * @param salt makes it a version of its own
 * @param callback what is exported, from `callback(event, host)` on
 */
export function largeScript(salt: number, callback: string): string {
  return [
    `const salt = ${salt}`,
    `const rules = [\n${rules().join('\n')}\n]`,
    ...fields.map(checkOf),
    `const checks = [${fields.map((field) => `check${field}`).join(', ')}]`,
    shared,
    `export async function ${callback}`,
  ].join('\n\n')
}

function rules(): string[] {
  return modalities.flatMap((modality, column) =>
    parts.map((part, row) => {
      const priority = ((column * 7 + row * 3) % 9) + 1
      const match = `modality: '${modality}', part: /^${part}/i, atLeast: ${10 * (row + 1)}`
      return `  { ${match}, target: 'ARCHIVE_${(column + row) % 4}', priority: ${priority}, label: '${part} of ${modality}' },`
    }),
  )
}

function checkOf(field: string, index: number): string {
  return `function check${field}(tags, found) {
  const value = tags['${field}']
  if (value === undefined || value.trim() === '') {
    found.push({ field: '${field}', problem: 'is missing', severity: ${(index % 3) + 1} })
    return false
  }
  const parts = value.split('\\\\').map((part) => part.trim())
  if (parts.some((part) => part.length > ${64 - index})) {
    found.push({ field: '${field}', problem: \`is longer than ${64 - index}\`, severity: 1 })
    return false
  }
  return parts.every((part) => !/[\\u0000-\\u001f]/.test(part))
}`
}

const shared = `
class Ledger {
  #entries = new Map()
  add(key, amount) {
    const known = this.#entries.get(key) ?? { count: 0, total: 0 }
    this.#entries.set(key, { count: known.count + 1, total: known.total + amount })
    if (this.#entries.size > 100) this.#entries.delete(this.#entries.keys().next().value)
  }
  mean(key) {
    const known = this.#entries.get(key)
    return known === undefined ? 0 : known.total / known.count
  }
}
const ledger = new Ledger()

function ruleFor({ tags = {}, counts = { instances: 1 } }) {
  const { Modality = 'CT', BodyPartExamined = 'CHEST' } = tags
  return rules
    .filter((rule) => rule.modality === Modality && rule.part.test(BodyPartExamined))
    .filter((rule) => counts.instances <= rule.atLeast)
    .sort((left, right) => right.priority - left.priority)[0]
}

function judge(event) {
  const found = []
  const passed = checks.filter((check) => check(event.tags ?? {}, found)).length
  const rule = ruleFor(event)
  ledger.add(rule?.target ?? 'none', passed)
  return { salt, passed, target: rule?.target ?? null, worst: Math.max(0, ...found.map((each) => each.severity)) }
}`
