/** How a worker's process ended. */
export type ExitCause =
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'not-spawned'; readonly message: string }
  /** It is gone, and so is the one who could have told how it ended. */
  | { readonly kind: 'unknown'; readonly message: string }
  /** There was but a connection to it, which is gone. */
  | { readonly kind: 'disconnected'; readonly message: string };

export function describeExit(cause: ExitCause): string {
  switch (cause.kind) {
    case 'exit':
      return `status ${cause.status}`;
    case 'signal':
      return `signal ${cause.signal}`;
    case 'not-spawned':
      return `not spawned: ${cause.message}`;
    case 'unknown':
      return `status unknown: ${cause.message}`;
    case 'disconnected':
      return `disconnected: ${cause.message}`;
  }
}
