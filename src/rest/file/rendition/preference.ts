import type { Preference } from '../../../domain/rendition/image.ts';
import { weightOf } from '../../../http/accept.ts';

/**
 * Returns the best format that an `Accept` header names: AVIF, then WebP, unless the header gives another one more weight.
 * Wildcards do not count for these two, because programs that send wildcards may not support them.
 */
export function preferenceOf(accept: string | undefined): Preference {
  const avif = weightOf(accept, 'image/avif', { isNamed: true });
  const webp = weightOf(accept, 'image/webp', { isNamed: true });
  const others = ['image/jpeg', 'image/png', 'image/gif'].map((type) => weightOf(accept, type));
  const best = Math.max(avif, webp, ...others);
  if (best === 0) return 'basic';
  if (avif === best) return 'avif';
  return webp === best ? 'webp' : 'basic';
}
