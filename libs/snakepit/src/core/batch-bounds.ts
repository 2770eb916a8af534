/** The most calls that one batch may hold, and the longest that it may wait for them. */
export const MAX_BATCH_SIZE = 10_000;
export const MAX_BATCH_WAIT_MS = 60_000;
