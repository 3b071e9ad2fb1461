import type { Fit } from '../../../src/domain/rendition/fit.ts';
import type { Pixels } from '../../support/ssim.ts';

/** A part of an image, in pixels and fractions of them. */
interface Part {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Box {
  width: number;
  height: number;
}

/**
 * Draws an image into a box as CSS `object-fit` and `object-position` define it, pixel by pixel, without anything of the server
 * or sharp. The box is not larger than the image. `focus`: in fractions of the image.
 */
export function drawReference(
  image: Pixels,
  { fit, box, focus }: { fit: Fit; box: Box; focus: { left: number; top: number } },
): Pixels {
  const { width, height } = image;
  const all = { left: 0, top: 0, width, height };
  const inner = Math.min(box.width / width, box.height / height);
  const outer = Math.max(box.width / width, box.height / height);
  const scaled = (ratio: number) => ({
    width: Math.round(width * ratio),
    height: Math.round(height * ratio),
  });
  switch (fit) {
    case 'fill':
      return resample(image, all, box);
    case 'inside':
      return resample(image, all, scaled(inner));
    case 'outside':
      return resample(image, all, scaled(outer));
    case 'contain':
      return onCanvas(resample(image, all, scaled(inner)), box);
    case 'cover':
      return resample(image, coveringPart(image, box, { focus, ratio: outer }), box);
  }
}

/** Returns the part of the image that covers the box, which starts at a whole pixel of the result. */
function coveringPart(
  image: Box,
  box: Box,
  { focus, ratio }: { focus: { left: number; top: number }; ratio: number },
): Part {
  const start = (length: number, kept: number, point: number) =>
    Math.min(length * ratio - kept, Math.max(0, Math.floor(length * ratio * point - kept / 2)));
  return {
    left: start(image.width, box.width, focus.left) / ratio,
    top: start(image.height, box.height, focus.top) / ratio,
    width: box.width / ratio,
    height: box.height / ratio,
  };
}

/** Returns the image in the middle of a transparent canvas. */
function onCanvas(image: Pixels, { width, height }: Box): Pixels {
  const data = new Uint8Array(width * height * 4);
  const left = Math.floor((width - image.width) / 2);
  const top = Math.floor((height - image.height) / 2);
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(y * image.width * 4, (y + 1) * image.width * 4);
    data.set(row, ((y + top) * width + left) * 4);
  }
  return { data, width, height };
}

/** Returns the image in front of white. */
export function onWhite({ data, ...size }: Pixels): Pixels {
  const shown = data.map((value, at) => {
    const alpha = data[at - (at % 4) + 3]! / 255;
    return at % 4 === 3 ? 255 : Math.round(value * alpha + 255 * (1 - alpha));
  });
  return { ...size, data: shown };
}

/** Scales a part of an image with a Lanczos filter; colors are weighted with their alpha. */
export function resample(image: Pixels, part: Part, { width, height }: Box): Pixels {
  const columns = taps(part.left, part.width / width, { count: width, length: image.width });
  const rows = taps(part.top, part.height / height, { count: height, length: image.height });
  const values = premultiplied(image);
  const narrow = new Float64Array(width * image.height * 4);
  for (let y = 0; y < image.height; y++) {
    for (const [x, column] of columns.entries()) {
      for (const { at, weight } of column)
        add(narrow, y * width + x, values, y * image.width + at, weight);
    }
  }
  const small = new Float64Array(width * height * 4);
  for (const [y, row] of rows.entries()) {
    for (const { at, weight } of row) {
      for (let x = 0; x < width; x++) add(small, y * width + x, narrow, at * width + x, weight);
    }
  }
  return { data: unmultiplied(small), width, height };
}

function add(to: Float64Array, pixel: number, from: Float64Array, source: number, weight: number) {
  for (let channel = 0; channel < 4; channel++) {
    to[pixel * 4 + channel]! += from[source * 4 + channel]! * weight;
  }
}

interface Tap {
  at: number;
  weight: number;
}

/** Returns the source pixels of each pixel along a side, with weights whose sum is 1. Past an edge, its pixels repeat. */
function taps(
  start: number,
  step: number,
  { count, length }: { count: number; length: number },
): Tap[][] {
  const stretch = Math.max(1, step);
  return Array.from({ length: count }, (_, pixel) => {
    const center = start + (pixel + 0.5) * step - 0.5;
    const first = Math.ceil(center - LOBES * stretch);
    const last = Math.floor(center + LOBES * stretch);
    const all = Array.from({ length: last - first + 1 }, (_, index) => ({
      at: Math.min(length - 1, Math.max(0, first + index)),
      weight: lanczos((first + index - center) / stretch),
    }));
    const sum = all.reduce((total, { weight }) => total + weight, 0);
    return all.map(({ at, weight }) => ({ at, weight: weight / sum }));
  });
}

const LOBES = 3;

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const turn = Math.PI * x;
  return (LOBES * Math.sin(turn) * Math.sin(turn / LOBES)) / (turn * turn);
}

function premultiplied({ data }: Pixels): Float64Array {
  return Float64Array.from(data, (value, at) =>
    at % 4 === 3 ? value : (value * data[at - (at % 4) + 3]!) / 255,
  );
}

function unmultiplied(values: Float64Array): Uint8Array {
  return Uint8Array.from(values, (value, at) => {
    const alpha = values[at - (at % 4) + 3]! / 255;
    const plain = at % 4 === 3 ? value : alpha > 0 ? value / alpha : 0;
    return Math.min(255, Math.max(0, Math.round(plain)));
  });
}
