import type { CallKind } from '../channel/index.js';
import type { CallOptions, InheritedOptions } from './call-options.js';

/** A call about to be admitted. */
export interface CallRequest {
  readonly pool: string;
  readonly kind: CallKind;
  readonly command: string;
  readonly options: CallOptions;
}

/** What calls take from where they are made, and who watches them. */
export interface CallSurroundings {
  /** Whether there is anything to take; asked by every call. */
  readonly isPresent: boolean;
  /** @throws SnakepitError MISUSE where the application's own functions return nonsense */
  inherit(request: CallRequest): InheritedOptions;
}

export const NO_SURROUNDINGS: CallSurroundings = {
  isPresent: false,
  inherit: ({ options }) => options,
};
