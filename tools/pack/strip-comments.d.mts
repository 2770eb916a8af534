export function stripComments(script: string): string;
