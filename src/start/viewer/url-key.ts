import { listOf } from '../setting.ts';
import { isStrongSecret, SECRET_RULE } from './secret.ts';

/** What the schema of keys of signed URLs expects. */
export const URL_KEYS_EXPECTED = `keys of at least 32 characters each, ${SECRET_RULE}, separated by commas`;

/** The schema of keys of signed URLs. */
export const urlKeyList = listOf(URL_KEYS_EXPECTED, (keys) => keys.every(isStrongUrlKey)).refine(
  (keys) => keys.length <= 10,
  'at most 10 keys',
);

function isStrongUrlKey(key: string): boolean {
  return key.length >= 32 && isStrongSecret(key);
}
