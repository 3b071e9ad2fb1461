/** How an image is fitted into a box, as CSS `object-fit` names it. */
export type ImageFit = 'cover' | 'contain' | 'fill' | 'inside' | 'outside';

/** The image that a URL asks for. */
export interface ImageOptions {
  /**
   * In pixels. Rounded up to `IMAGE_WIDTHS`. No image is enlarged: a size that would do so is reduced, with its aspect ratio
   * kept; `fill` may stretch one side.
   */
  width?: number | undefined;
  /** In pixels. Rounded as the width is; with a width, so that their ratio stays. */
  height?: number | undefined;
  /** (Default: `contain`) */
  fit?: ImageFit | undefined;
  /** 1 to 100. (Default: that of the server, 80) */
  quality?: number | undefined;
  /** `original` keeps the format. (Default: `webp`, which every browser reads) */
  format?: 'webp' | 'jpg' | 'png' | 'gif' | 'original' | undefined;
}

/**
 * Returns the URL of an image in another size or format, by the URL that the server gives it: `File.url` in GraphQL, or
 * that of another dialect. It may be relative. A URL that is signed is returned unchanged, because its signature covers the
 * parameters, and so is one with another path than `…/media/{dir}/{name}`. The origin is not compared: do not pass URLs of
 * other servers that have such paths.
 */
export function imageUrl(src: string, options: ImageOptions): string {
  const { width, height, fit = 'contain', quality, format = 'webp' } = options;
  const [address = '', query = ''] = src.split('#', 1)[0]?.split('?') ?? [];
  const parameters = new URLSearchParams(query);
  if (!ADDRESS.test(address) || parameters.has('signature')) return src;
  const set = (name: string, value: string | number | undefined) =>
    value === undefined ? parameters.delete(name) : parameters.set(name, String(value));
  const rung = toRung(width);
  set('width', rung);
  set('height', rung && width && height ? toSide((rung * height) / width) : toRung(height));
  // With one side, the other one follows.
  set('mode', width && height ? MODES[fit] : undefined);
  set('upscale', width || height ? 'never' : undefined);
  set('quality', toQuality(quality));
  set('format', format === 'original' ? undefined : format);
  return parameters.size === 0 ? address : `${address}?${parameters}`;
}

/** The address of a file: `/media/{dir}/{name}`, after the origin and the base path of the server. */
const ADDRESS = /(?:^|\/)media\/[a-z0-5]{8}\/[a-z0-9_.-]+$/;

/** The modes of ImageProcessor. */
const MODES: Readonly<Record<ImageFit, string>> = {
  cover: 'crop',
  contain: 'max',
  fill: 'stretch',
  inside: 'max',
  outside: 'min',
};

/**
 * The widths that the server makes for everyone: it rounds others up, unless the request has a credential. With the
 * same rounding here, one rendition has one URL, and caches keep it once.
 */
export const IMAGE_WIDTHS: readonly number[] = widths();

function widths(): number[] {
  // All multiples of the step up to each length, and what icons, screens and frameworks use.
  const steps = [
    [20, 1],
    [100, 5],
    [400, 10],
    [800, 20],
    [1600, 50],
    [5000, 100],
  ] as const;
  const usual = [
    24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 576, 750, 768, 828, 992, 1024, 1080, 1280, 1366,
    1440, 1536, 1920, 2048, 2560, 3840, 4096,
  ];
  const all = new Set<number>(usual);
  let length = 0;
  for (const [upTo, step] of steps) {
    while (length < upTo) {
      length += step;
      all.add(length);
    }
  }
  return [...all].sort((a, b) => a - b);
}

function toRung(side: number | undefined): number | undefined {
  if (!side || side < 1) return undefined;
  return IMAGE_WIDTHS.find((length) => length >= side) ?? IMAGE_WIDTHS.at(-1);
}

function toSide(length: number): number {
  return Math.max(1, Math.round(length));
}

function toQuality(quality: number | undefined): number | undefined {
  return quality === undefined || Number.isNaN(quality)
    ? undefined
    : Math.min(100, Math.max(1, Math.round(quality)));
}

/** The loader of `next/image`: export it by default from the file that `images.loaderFile` names. */
export function nextLoader({
  src,
  width,
  quality,
}: {
  src: string;
  width: number;
  quality?: number | undefined;
}): string {
  return imageUrl(src, { width, quality });
}

/** The modifiers, formats and transforms of frameworks, as far as this server knows them. */
interface Modifiers {
  width?: number | string | undefined;
  height?: number | string | undefined;
  fit?: string | undefined;
  quality?: number | string | undefined;
  format?: string | undefined;
}

/** Reads what a framework asks for. What the server does not know is left out. */
function toOptions({ width, height, fit, quality, format }: Modifiers): ImageOptions {
  const known = fit !== undefined && Object.hasOwn(MODES, fit) ? (fit as ImageFit) : undefined;
  return {
    width: toNumber(width),
    height: toNumber(height),
    fit: known,
    quality: QUALITIES[String(quality)] ?? toNumber(quality),
    format: FORMATS[String(format)],
  };
}

function toNumber(value: number | string | undefined): number | undefined {
  const number = Number.parseFloat(String(value));
  return Number.isFinite(number) ? number : undefined;
}

/** The names that Astro has for qualities. */
const QUALITIES: Readonly<Record<string, number>> = { low: 25, mid: 50, high: 80, max: 100 };

/** The server writes no AVIF here. */
const FORMATS: Readonly<Record<string, NonNullable<ImageOptions['format']>>> = {
  webp: 'webp',
  avif: 'webp',
  jpg: 'jpg',
  jpeg: 'jpg',
  png: 'png',
  gif: 'gif',
};

/** The function of a provider of Nuxt Image: `defineProvider({ getImage })`. `baseURL` precedes relative URLs. */
export function getImage(
  src: string,
  { modifiers = {}, baseURL = '' }: { modifiers?: Modifiers; baseURL?: string | undefined } = {},
): { url: string } {
  const isRelative = !/^(?:[a-z]+:)?\/\//i.test(src);
  const url = imageUrl(src, toOptions(modifiers));
  if (!isRelative || baseURL === '') return { url };
  return { url: `${baseURL.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}` };
}

/** What Astro asks for. Other properties are attributes of `<img>`. */
interface AstroTransform extends Modifiers {
  src: string | { src: string };
  widths?: number[] | undefined;
  /** Such as `1.5` or `'2x'`. */
  densities?: (number | string)[] | undefined;
  [attribute: string]: unknown;
}

/** The image service of Astro: export it by default from the file that `image.service.entrypoint` names. */
export const astroService = {
  getURL({ src, ...transform }: AstroTransform): string {
    return imageUrl(typeof src === 'string' ? src : src.src, toOptions(transform));
  },
  getSrcSet({ widths, densities, ...transform }: AstroTransform) {
    const own = toNumber(transform.width);
    const ratio = (toNumber(transform.height) ?? 0) / (own || 1);
    return toDescriptors(widths, densities, own).map(({ width, descriptor }) => ({
      transform: { ...transform, width, ...(ratio > 0 && { height: toSide(width * ratio) }) },
      descriptor,
      attributes: {},
    }));
  },
  getHTMLAttributes(options: AstroTransform): Record<string, unknown> {
    const { src, widths, densities, fit, quality, format, layout, position, ...rest } = options;
    const { inferSize, priority, background, ...attributes } = rest;
    return { loading: 'lazy', decoding: 'async', ...attributes };
  },
};

/** Returns the sizes of a `srcset`: Astro has either widths, or multiples of the width of the image. */
function toDescriptors(
  widths: readonly number[] | undefined,
  densities: AstroTransform['densities'],
  own: number | undefined,
) {
  if (widths?.length) return widths.map((width) => ({ width, descriptor: `${width}w` }));
  if (own === undefined) return [];
  return (densities ?? []).flatMap((density) => {
    const factor = toNumber(density);
    return factor && factor > 0 ? [{ width: toSide(own * factor), descriptor: `${factor}x` }] : [];
  });
}

/** The provider of unpic: pass `unpicProvider.transform` to its components as `transformer`. */
export const unpicProvider = {
  /** Returns the image behind a URL of this server, and what the URL asks for; null for other URLs. */
  extract(url: string | URL): { src: string; operations: Modifiers } | null {
    const [src = '', query = ''] = String(url).split('?');
    const parameters = new URLSearchParams(query);
    if (!ADDRESS.test(src) || parameters.has('signature')) return null;
    const { width, height, quality, format } = Object.fromEntries(parameters);
    return { src, operations: { width, height, quality, format } };
  },
  generate(src: string | URL, operations: Modifiers): string {
    return imageUrl(String(src), toOptions(operations));
  },
  transform(src: string | URL, operations: Modifiers): string {
    const found = unpicProvider.extract(src);
    if (found === null) return String(src);
    const cropped = operations.width && operations.height ? { fit: 'cover' } : {};
    return unpicProvider.generate(found.src, { ...found.operations, ...cropped, ...operations });
  },
};
