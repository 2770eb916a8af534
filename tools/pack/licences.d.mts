export interface InstalledLicence {
  readonly name: string;
  readonly version: string;
  readonly licence: string | undefined;
  readonly isAllowed: boolean;
}
export function installedLicences(lock: unknown, workspace: string): InstalledLicence[];
export function isAllowed(expression: unknown): boolean;
