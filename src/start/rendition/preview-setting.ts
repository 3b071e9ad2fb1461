import type { z } from 'zod';
import { DECODERS } from '../../media/preview/registry.ts';
import { listOf } from '../setting.ts';

/** Configuration of the previews of files that browsers cannot show. */
export interface Previews {
  /** Names of the decoders that draw previews. */
  previewDecoders: readonly string[];
}

const NONE = 'none';
const NAMES = DECODERS.map(({ name }) => name);
const DEFAULT = DECODERS.filter(({ isOffByDefault }) => !isOffByDefault).map(({ name }) => name);

/** The variables of previews, as in `VARIABLES`. */
export const PREVIEW_VARIABLES = {
  TRIVIUM_PREVIEW_DECODERS: [
    listOf(
      `${NONE}, or decoders separated by commas: ${NAMES.join(', ')}`,
      (names) => String(names) === NONE || names.every((name) => NAMES.includes(name)),
    )
      .transform((names) => names.filter((name) => name !== NONE))
      .default(DEFAULT),
    `decoders that draw previews, separated by commas, or ${NONE}; default: ${DEFAULT.join(',')}`,
  ],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

/** Converts the values of the variables. */
export function toPreviews(values: { TRIVIUM_PREVIEW_DECODERS: readonly string[] }): Previews {
  return { previewDecoders: values.TRIVIUM_PREVIEW_DECODERS };
}
