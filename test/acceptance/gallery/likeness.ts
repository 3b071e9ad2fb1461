import sharp from 'sharp';

/** Cells of each side: enough to see a turn or another image, and no more than a placeholder can show. */
const SIDE = 6;

/**
 * Returns how much two images differ, seen from afar on white: the mean difference of their colors, from 0 to 255. Their
 * sizes do not matter.
 */
export async function difference(one: Buffer, other: Buffer): Promise<number> {
  const [a, b] = await Promise.all([one, other].map(coarse));
  const sum = a!.reduce((total, value, at) => total + Math.abs(value - b![at]!), 0);
  return sum / a!.length;
}

async function coarse(bytes: Buffer): Promise<Buffer> {
  const upright = await sharp(bytes)
    .autoOrient()
    .flatten({ background: 'white' })
    .toColorspace('srgb')
    .png()
    .toBuffer();
  const size = { width: SIDE, height: SIDE, fit: 'fill' as const };
  return sharp(upright).resize(size).removeAlpha().raw().toBuffer();
}
