export type Runtime = 'ruby' | 'r' | 'go' | 'perl';

export function provideRuntimes(names: readonly Runtime[]): void;
