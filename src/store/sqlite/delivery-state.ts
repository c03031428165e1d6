/** How the state of a delivery is written in its row; one that has ended has none. */
export const deliveryState = { ready: 0, leased: 1, dead: 2 } as const
