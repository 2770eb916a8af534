export const COMPILED: readonly { readonly from: string; readonly to: string }[];
export function isPublishedScript(path: string): boolean;
