interface RunShape {
  width: number;
  height: number;
  bitsPerPixel: number;
}

/**
 * Unpacks the runs of a bitmap (BI_RLE8, BI_RLE4): each pixel becomes an index of the palette, a byte. Pixels that no
 * run mentions are 0. Never throws.
 */
export function unpackRuns(packed: Buffer, { width, height, bitsPerPixel }: RunShape): Buffer {
  const indexes = Buffer.alloc(width * height);
  const indexAt = (byte: number, nth: number) =>
    bitsPerPixel === 8 ? byte : (byte >> (nth % 2 === 0 ? 4 : 0)) & 15;
  let x = 0;
  let y = 0;
  const put = (index: number) => {
    if (x < width && y < height) indexes[y * width + x] = index;
    x++;
  };
  for (let at = 0; at + 1 < packed.length && y < height; ) {
    const [count = 0, code = 0] = packed.subarray(at, at + 2);
    at += 2;
    if (count > 0) {
      for (let nth = 0; nth < count; nth++) put(indexAt(code, nth));
    } else if (code === END_OF_ROW) {
      x = 0;
      y++;
    } else if (code === END) {
      break;
    } else if (code === MOVE) {
      x += packed[at] ?? 0;
      y += packed[at + 1] ?? 0;
      at += 2;
    } else {
      const bytes = Math.ceil((code * bitsPerPixel) / 8);
      for (let nth = 0; nth < code; nth++) {
        put(indexAt(packed[at + Math.floor((nth * bitsPerPixel) / 8)] ?? 0, nth));
      }
      // The next run begins at an even byte.
      at += bytes + (bytes % 2);
    }
  }
  return indexes;
}

const END_OF_ROW = 0;
const END = 1;
const MOVE = 2;
