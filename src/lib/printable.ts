/** What scripts and senders wrote, on its way to a terminal: nothing in it may be an order to that. */

/** Control characters but line breaks and tabs, and what turns the direction of writing, as JSON writes them. */
const orders = /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu

export function printable(text: string): string {
  return text.replace(orders, (order) => `\\u${order.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
