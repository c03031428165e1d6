/** `host.hash`: digests as others compute them. */
import { expect, test } from 'vitest'
import { openTestHost } from '../support/test-host.ts'

async function hash(given: object) {
  await using host = await openTestHost({})
  return await host.begin().call('hash', given)
}

// FIPS 180-2 and RFC 4231, test case 2.
const vectors: [string, string, string | null, string][] = [
  ['sha256', 'abc', null, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['sha1', 'abc', null, 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ['md5', '', null, 'd41d8cd98f00b204e9800998ecf8427e'],
  ['sha256', 'é', null, '4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c'],
  [
    'sha256',
    'what do ya want for nothing?',
    'Jefe',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
]
test.each(vectors)('%s of "%s" with the key %s', async (algorithm, text, key, digest) => {
  expect(await hash({ algorithm, text, key })).toEqual({ value: digest })
})

test('an algorithm that is not there is refused by name', async () => {
  expect(await hash({ algorithm: 'crc32', text: '', key: null })).toMatchObject({
    code: 'bad-host-call',
    message: expect.stringContaining('host.hash: bad value for "algorithm"'),
  })
})
