export interface Place {
  readonly repository: string;
  readonly out: string;
}
export const STEPS: Readonly<
  Record<
    'npm tarball' | 'licences' | 'Python wheel and sdist' | 'Ruby gem' | 'R package' | 'Go module' | 'API reference',
    (place: Place) => string | Promise<string>
  >
>;
export const PYTHON_BUILD: readonly string[];
