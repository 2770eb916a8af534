export declare function pythonPackages(
  name: string,
  requirements: readonly string[],
  options?: readonly string[],
): string;
export declare function pythonVersion(): string;
export declare function pythonFolder(): string;
export declare function bridgePackages(): string;
export declare function dataSciencePackages(): string;
/** A folder for PATH with the program uv. */
export declare function uvFolder(): string;
