/** Files that a store keeps the bytes of, handed out some at a time. */

export interface KeptFile {
  readonly number: number
  readonly file: string
  readonly bytes: Uint8Array
}

/** @param after answers with some of those numbered after a number; with none: that was all */
export async function* keptPages(
  after: (number: number) => Promise<readonly KeptFile[]>,
): AsyncGenerator<readonly KeptFile[]> {
  for (let page = await after(0); page.length > 0; page = await after(page.at(-1)!.number)) yield page
}
