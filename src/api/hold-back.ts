/**
 * A large body on its way: it counts among what all have in memory together until it has been answered, and stops being
 * read while that is too much.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BackPressure } from '../lib/back-pressure.ts'

export interface HeldBody {
  /** So much more of it has come. */
  more(bytes: number): void
  /** It is kept no longer, or has been answered; what still comes of it is not kept. */
  letGo(): void
}

/** @param bytes what has come of it so far */
export function holdBack(
  body: IncomingMessage,
  response: ServerResponse,
  backPressure: BackPressure,
  bytes: number,
): HeldBody {
  const { socket } = body
  const silenceMs = socket.timeout ?? 0
  let heldBytes = 0
  let isGone = false
  let isWaiting = false
  const sender = {
    setHeldBack(isHeldBack: boolean) {
      isWaiting = isHeldBack
      // It is not the sender who is silent then.
      socket.setTimeout(isHeldBack ? 0 : silenceMs)
      if (isHeldBack) body.pause()
      else body.resume()
    },
  }
  const more = (count: number) => {
    if (isGone) return
    heldBytes += count
    backPressure.take(sender, count)
  }
  const letGo = () => {
    if (isGone) return
    isGone = true
    backPressure.giveBack(sender, heldBytes)
    backPressure.leave(sender)
    if (isWaiting) sender.setHeldBack(false)
  }
  // Also when the connection breaks.
  response.once('close', letGo)
  backPressure.join(sender)
  more(bytes)
  return { more, letGo }
}
