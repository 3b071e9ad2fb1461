/**
 * How the samples of an RGB or gray image stand for light. `transfer` is an exponent (light = sample ^ exponent), or
 * the curve of sRGB or of BT.709. `primaries` are the chromaticities x, y of white, red, green and blue.
 */
export interface ColorSpace {
  transfer: number | 'srgb' | 'bt709';
  primaries: Primaries;
}

/** The chromaticities x, y of white, red, green and blue. */
export type Primaries = readonly [Pair, Pair, Pair, Pair];
type Pair = readonly [x: number, y: number];

type Triple = [number, number, number];
type Matrix = [Triple, Triple, Triple];

/**
 * Returns the ICC profile (ICC.1:2010) of a color space; of its curve only, for a gray image. Returns null if the
 * primaries are not a triangle around a white point, so that they describe no color space.
 */
export function makeIccProfile(
  { transfer, primaries }: ColorSpace,
  isGray: boolean,
): Buffer | null {
  const colorants = colorantsOf(primaries);
  if (colorants === null) return null;
  const curve = curveTag(transfer);
  const [red, green, blue] = colorants.map(xyzTag);
  const tags: [string, Buffer | undefined][] = isGray
    ? [['kTRC', curve]]
    : [
        ...([
          ['rXYZ', red],
          ['gXYZ', green],
          ['bXYZ', blue],
        ] as [string, Buffer][]),
        ...([
          ['rTRC', curve],
          ['gTRC', curve],
          ['bTRC', curve],
        ] as [string, Buffer][]),
      ];
  return assemble([['wtpt', xyzTag(D50)], ...tags] as [string, Buffer][], isGray);
}

const HEADER_BYTES = 128;

function assemble(tags: readonly [name: string, data: Buffer][], isGray: boolean): Buffer {
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length, 0);
  let at = HEADER_BYTES + table.length;
  for (const [index, [name, data]] of tags.entries()) {
    table.write(name, 4 + 12 * index, 'latin1');
    table.writeUInt32BE(at, 8 + 12 * index);
    table.writeUInt32BE(data.length, 12 + 12 * index);
    at += data.length;
  }
  return Buffer.concat([header(at, isGray), table, ...tags.map(([, data]) => data)]);
}

function header(sizeBytes: number, isGray: boolean): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32BE(sizeBytes, 0);
  bytes.writeUInt32BE(0x04200000, 8);
  bytes.write(`mntr${isGray ? 'GRAY' : 'RGB '}XYZ `, 12, 'latin1');
  bytes.write('acsp', 36, 'latin1');
  D50.forEach((value, index) => {
    bytes.writeInt32BE(fixed(value), 68 + 4 * index);
  });
  return bytes;
}

function xyzTag(values: Triple): Buffer {
  return tag('XYZ ', 8 + 12, (bytes) =>
    values.forEach((value, index) => {
      bytes.writeInt32BE(fixed(value), 8 + 4 * index);
    }),
  );
}

/** The parameters g, a, b, c, d of light = (a·sample + b)^g, or c·sample below d: IEC 61966-2-1, ITU-R BT.709. */
const CURVES = {
  srgb: [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045],
  bt709: [1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081],
} as const;

function curveTag(transfer: ColorSpace['transfer']): Buffer {
  const isExponent = typeof transfer === 'number';
  const parameters = isExponent ? [transfer] : CURVES[transfer];
  return tag('para', 12 + 4 * parameters.length, (bytes) => {
    bytes.writeUInt16BE(isExponent ? 0 : 3, 8);
    for (const [index, value] of parameters.entries()) {
      bytes.writeInt32BE(fixed(value), 12 + 4 * index);
    }
  });
}

function tag(type: string, length: number, fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.write(type, 'latin1');
  fill(bytes);
  return bytes;
}

/** Converts to a fixed-point number with 16 bits after the point. */
function fixed(value: number): number {
  return Math.round(value * 65_536);
}

/** The white of all profiles: ICC.1:2010 §7.2.16. */
const D50: Triple = [0.9642, 1, 0.8249];

/** Responses of the eye's cones after Bradford. */
const BRADFORD: Matrix = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

/** Returns X, Y, Z of red, green and blue under D50; null if the primaries describe no color space. */
function colorantsOf([white, ...primaries]: Primaries): Matrix | null {
  const [red, green, blue] = primaries.map(toXyz) as Matrix;
  const source = toXyz(white);
  const toShares = inverse(transposed([red, green, blue]));
  const toCones = inverse(BRADFORD);
  if (toShares === null || toCones === null || white[1] <= 0) return null;
  const shares = times(toShares, source);
  const cones = times(BRADFORD, source);
  const target = times(BRADFORD, D50);
  const colorants = [red, green, blue].map((primary, index) => {
    const response = times(
      BRADFORD,
      primary.map((value) => value * (shares[index] ?? 0)) as Triple,
    );
    return times(
      toCones,
      response.map((value, cone) => (value * at(target, cone)) / at(cones, cone)) as Triple,
    );
  }) as Matrix;
  // The format has room for 15 bits before the point.
  const isUsable = colorants.flat().every((value) => Math.abs(value) < 8);
  return isUsable && shares.every((share) => share > 0) ? colorants : null;
}

function at(values: Triple, index: number): number {
  return values[index] ?? 0;
}

function toXyz([x, y]: Pair): Triple {
  return [x / y, 1, (1 - x - y) / y];
}

function times(matrix: Matrix, [x, y, z]: Triple): Triple {
  return matrix.map((row) => row[0] * x + row[1] * y + row[2] * z) as Triple;
}

function transposed([a, b, c]: Matrix): Matrix {
  return [0, 1, 2].map((index) => [at(a, index), at(b, index), at(c, index)]) as Matrix;
}

/** Returns the inverse of a matrix; null if it has none. */
function inverse([a, b, c]: Matrix): Matrix | null {
  const rows = [cross(b, c), cross(c, a), cross(a, b)] as Matrix;
  const determinant = a[0] * rows[0][0] + a[1] * rows[0][1] + a[2] * rows[0][2];
  if (!Number.isFinite(determinant) || Math.abs(determinant) < 1e-9) return null;
  return transposed(rows.map((row) => row.map((value) => value / determinant)) as Matrix);
}

function cross(a: Triple, b: Triple): Triple {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
