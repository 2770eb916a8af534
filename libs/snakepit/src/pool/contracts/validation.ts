export const VALIDATIONS = ['arguments', 'all', 'none'] as const;
/** What is checked of calls by what their commands say: see the pool option `validate`. */
export type Validation = (typeof VALIDATIONS)[number];
