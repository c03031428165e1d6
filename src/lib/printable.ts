/** What scripts and senders wrote, on its way to a terminal: nothing in it may be an order to that. */

/** Control characters but line breaks and tabs, and what turns the direction of writing, as JSON writes them. */
const orders = /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu

/** One entry of a list, of which further lines are indented: they are not to pass for entries. */
export function printableEntry(text: string): string {
  return printable(text).replaceAll('\n', `\n${' '.repeat(12)}`)
}

/** Longer ones of a list are cut: all of it is shown where one thing is. */
const longestOnLine = 300

/** A message in a list of one line each. */
export function onOneLine(message: string): string {
  const line = message.replace(/\s+/g, ' ').trim()
  return line.length > longestOnLine ? `${line.slice(0, longestOnLine)} …` : line
}

export function printable(text: string): string {
  return text.replace(orders, (order) => `\\u${order.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
