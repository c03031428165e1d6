/** The page of routes and commands leaves none out. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { onstable } from '../support/command-line.ts'

const textOf = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')
const page = textOf('docs/rest.md')

test('each route with a path of its own is on the page', () => {
  const files = readdirSync(fileURLToPath(new URL('../../src/api/routes/', import.meta.url)))
  const paths = files
    .flatMap((name) => [...textOf(`src/api/routes/${name}`).matchAll(/endpoint\(app, '([^']+)'/g)])
    .map(([, path]) => path!)
  expect(paths.length).toBeGreaterThan(20)
  const parts = paths.flatMap((path) =>
    path.split('/').filter((part) => part !== '' && !part.startsWith(':')),
  )
  expect([...new Set(parts)].filter((part) => !page.includes(`/${part}`))).toEqual([])
})

test('each command that asks a server is on the page', async () => {
  const commandsOf = async (...path: string[]) => {
    const { output } = await onstable([...path, '--help'])
    const list = output.split('Commands:\n')[1]?.split('\n\n')[0] ?? ''
    return [...list.matchAll(/^ {2}([\w-]+)/gm)].map(([, name]) => name!).filter((name) => name !== 'help')
  }
  const local = ['start', 'sample', 'completion', 'send', 'scripts check', 'scripts new']
  const all: string[] = []
  for (const command of await commandsOf()) {
    const below = await commandsOf(command)
    all.push(...(below.length === 0 ? [command] : below.map((name) => `${command} ${name}`)))
  }
  expect(all.length).toBeGreaterThan(15)
  const isThere = (command: string) =>
    page.includes(`\`${command}`) || page.includes(`\`${command.split(' ')[1]}\``)
  expect(all.filter((command) => !local.includes(command) && !isThere(command))).toEqual([])
})
