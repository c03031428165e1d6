/** Memory for what goes past the page cache of the system, which has to begin at a page of it. */

// Of this the types of Node know no values.
declare const WebAssembly: { Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer } }

const unitBytes = 64 * 1024

/** An ordinary buffer begins anywhere; the memory of WebAssembly begins at a page. @param bytes a multiple of 64 KB */
export function pageAlignedBytes(bytes: number): Uint8Array {
  return new Uint8Array(new WebAssembly.Memory({ initial: bytes / unitBytes }).buffer)
}
