export const COMPILED: readonly { readonly from: string; readonly to: string }[];
export function isPublishedScript(path: string): boolean;

export declare const PYTHON: { readonly package: string; readonly interior: readonly string[] };
