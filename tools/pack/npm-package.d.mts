export function packNpmPackage(place: { readonly repository: string; readonly out: string }): Promise<string>;
