/** Contract §2.7: UTC without the zeros at the end of the fraction, and without a fraction that is zero. */
export function toDate(date: Date): string {
  return date.toISOString().replace(/\.?0*Z$/, 'Z');
}
