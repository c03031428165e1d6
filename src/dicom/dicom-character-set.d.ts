/** Types of the one function used of the package, which brings none. */
declare module 'dicom-character-set' {
  /** @throws if the character set is unknown, or an escape sequence does not belong to it */
  export function convertBytes(
    specificCharacterSet: string | undefined,
    bytes: Uint8Array,
    options?: { vr?: string },
  ): string
}
