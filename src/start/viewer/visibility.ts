import type { z } from 'zod';
import { oneOf } from '../setting.ts';

/** Configuration of who sees media, and the locations in their files. */
export interface VisibilitySettings {
  /** The visibility of new media. */
  visibilityDefault: 'public' | 'unlisted' | 'private';
  /** When location is removed from files: never, when viewers who may not edit them read them, or before they are stored. */
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
