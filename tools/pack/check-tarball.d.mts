export const MAX_TARBALL_BYTES: number;
export function tarballProblems(path: string): Promise<string[]>;
