/** How the state of a delivery is written in its row; one that has ended has none. */
export const deliveryState = {
  /** May be handed out when its turn comes. */
  ready: 0,
  leased: 1,
  dead: 2,
  /** Until its next try. */
  waiting: 3,
  /**
   * One before it in its key waits, or did and has not ended, or there are very many before it: not looked at before they
   * have ended.
   */
  behind: 4,
} as const
