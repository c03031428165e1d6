/** A small campaign, as the command runs it. */
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { runCampaign } from './campaign.ts'

it('kills by chance lose nothing, double nothing and leave nothing half done', async () => {
  using folder = temporaryFolder()
  const settings = { seed: 1, kills: 3, instances: 100, studies: 10, onProgress: () => {} }
  const { figures, violations, shortfalls } = await runCampaign({ ...settings, data: folder.path })
  expect(violations).toEqual([])
  expect(shortfalls).toEqual([])
  expect(figures).toMatchObject({ kills: 3, acknowledged: 100, violations: 0 })
})
