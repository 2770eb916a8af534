/** What can be asked for: workers of a language, or gRPC between host and workers. */
export const SUBJECTS = ['python', 'node', 'ruby', 'go', 'r', 'grpc'] as const;
export type Subject = (typeof SUBJECTS)[number];

/** `problem` prevents what was asked for, `advice` makes it worse than it could be. */
export type Level = 'ok' | 'advice' | 'problem';

/** One thing that was looked at. */
export interface Finding {
  /** What it is about: `Python`, `shared memory`. */
  readonly about: string;
  readonly level: Level;
  readonly says: string;
  /** What to do; absent where all is well. */
  readonly remedy?: string;
}

export function ok(about: string, says: string): Finding {
  return { about, level: 'ok', says };
}

export function advice(about: string, says: string, remedy: string): Finding {
  return { about, level: 'advice', says, remedy };
}

export function problem(about: string, says: string, remedy: string): Finding {
  return { about, level: 'problem', says, remedy };
}

/** A problem where it prevents what was asked for, else advice. */
export function lack(isAsked: boolean, about: string, says: string, remedy: string): Finding {
  return { about, level: isAsked ? 'problem' : 'advice', says, remedy };
}
