import type { z } from 'zod';
import { oneOf } from '../setting.ts';

/** Configuration of what viewers see of media, and of where these were recorded. */
export interface VisibilitySettings {
  /** The visibility of new media. */
  visibilityDefault: 'public' | 'unlisted' | 'private';
  /** Whether location is removed from files: never, for viewers who may not edit them, or from all that are stored. */
  stripLocation: 'never' | 'public' | 'always';
}

/** The variables of the visibility, as in `VARIABLES`. */
export const VISIBILITY_VARIABLES = {
  TRIVIUM_VISIBILITY_DEFAULT: [
    oneOf(['public', 'unlisted', 'private']).default('unlisted'),
    'visibility of new media: public, unlisted or private; default: unlisted',
  ],
  TRIVIUM_STRIP_LOCATION: [
    oneOf(['never', 'public', 'always']).default('never'),
    'removal of location from files: never, public (for viewers who may not edit) or always (at upload); default: never',
  ],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

type Values = {
  [Name in keyof typeof VISIBILITY_VARIABLES]: z.output<(typeof VISIBILITY_VARIABLES)[Name][0]>;
};

/** Converts the values of the variables. */
export function toVisibility(values: Values): VisibilitySettings {
  return {
    visibilityDefault: values.TRIVIUM_VISIBILITY_DEFAULT,
    stripLocation: values.TRIVIUM_STRIP_LOCATION,
  };
}
