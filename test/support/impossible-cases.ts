/** What cases of the contract a language cannot do, by the name that the case has or begins with, and why. */
export const IMPOSSIBLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ruby: {
    "fails the call with WORKER_EXITED when it 'crashes with SIGSEGV'":
      'Ruby handles SIGSEGV, tells where it was, and ends by SIGABRT',
  },
  go: {
    "fails the call with WORKER_EXITED when it 'crashes with SIGSEGV'":
      'Go takes a SIGSEGV that was sent for a panic, and exits with status 2',
    'because the call has ended': 'the context of a Go call ends with it, which is what a late tool call fails by',
  },
  r: {
    "carries 'text of all planes'": 'texts in R cannot hold U+0000',
    "shows 'text of all planes'": 'texts in R cannot hold U+0000',
    "carries what a worker makes ('text')": 'texts in R cannot hold U+0000',
    'because the call has ended': 'R has one thread: nothing of a call goes on after it',
    'do not wait for each other':
      'the workers that are lent take R longer to start than a call may wait in the queue here',
  },
};

/** Why a case is not for a language; undefined where it is. */
export function impossibleIn(language: string, name: string): string | undefined {
  const found = Object.entries(IMPOSSIBLE[language] ?? {}).find(([beginning]) => name.startsWith(beginning));
  return found?.[1];
}
