export declare function pythonPackages(name: string, requirements: readonly string[]): string;
export declare function pythonVersion(): string;
export declare function bridgePackages(): string;
export function dataSciencePackages(): string;
