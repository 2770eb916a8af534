/** Process ids that must not outlive the host; each is the leader of a group. */
export type LivePids = () => readonly number[];

/**
 * Kills all worker groups when the host's process exits without having closed its pools, as after `process.exit()`. Returns
 * the function that takes the guard away.
 */
export function guardExit(livePids: LivePids): () => void {
  const onExit = (): void => {
    for (const pid of livePids()) {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    }
  };
  process.once('exit', onExit);
  return () => process.off('exit', onExit);
}
