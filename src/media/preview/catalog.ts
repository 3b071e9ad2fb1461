import type { PreviewDecoder, PreviewHost } from './decoder.ts';
import { DECODERS, decoderOf } from './registry.ts';

/** A decoder, and whether it can draw here. */
export interface DecoderState {
  name: string;
  isAvailable: boolean;
  /** Why it cannot draw; null if it can. */
  reason: string | null;
}

/** The decoders of a server. */
export interface DecoderCatalog {
  /** Returns the name of the decoder of a MIME type; null if no decoder draws the type, or if its decoder is turned off. */
  decoderNameOf(mimeType: string): string | null;
  /** Returns the MIME types of the decoders that can draw, such as `image/heic` and `video/*`. */
  mimeTypes(): Promise<string[]>;
  /** Tells whether the decoder of a MIME type can draw. */
  isAvailable(mimeType: string): Promise<boolean>;
  /**
   * Returns why the decoder of a MIME type cannot draw. Null if it can, if no decoder draws the type, and while the
   * server has not found out yet.
   */
  reasonOf(mimeType: string): string | null;
  /** Returns the states of all decoders. */
  states(): Promise<DecoderState[]>;
}

/** The decoders that an operator has turned on, and where they run. */
export interface CatalogOptions extends PreviewHost {
  /** Names of the decoders that are turned on. */
  enabled: readonly string[];
  decoders?: readonly PreviewDecoder[];
}

/** Time for which a state is remembered: an operator may install a program while the server runs. */
const FRESH_MS = 60_000;

/** Creates the catalog of a server. It looks for packages and programs when it is first asked. */
export function createCatalog({
  enabled,
  searchPath,
  decoders = DECODERS,
}: CatalogOptions): DecoderCatalog {
  const isOn = ({ name }: PreviewDecoder) => enabled.includes(name);
  const find = async (decoder: PreviewDecoder): Promise<DecoderState> => {
    const { name } = decoder;
    if (!isOn(decoder)) return { name, isAvailable: false, reason: TURNED_OFF };
    const found = await decoder.find({ searchPath });
    return {
      name,
      isAvailable: found.isAvailable,
      reason: found.isAvailable ? null : found.reason,
    };
  };
  const known = new Map<string, DecoderState>();
  let last: { states: Promise<DecoderState[]>; at: number } | undefined;
  const findAll = async () => {
    const found = await Promise.all(decoders.map(find));
    for (const state of found) known.set(state.name, state);
    return found;
  };
  const states = () => {
    const now = performance.now();
    if (last === undefined || now - last.at > FRESH_MS) last = { states: findAll(), at: now };
    return last.states;
  };
  // A decoder that is turned off leaves its files to the next one.
  const decoderFor = (mimeType: string) =>
    decoderOf(mimeType, decoders.filter(isOn)) ?? decoderOf(mimeType, decoders);
  const nameOf = (mimeType: string) => decoderFor(mimeType)?.name;
  return {
    decoderNameOf(mimeType) {
      const decoder = decoderFor(mimeType);
      return decoder !== null && isOn(decoder) ? decoder.name : null;
    },
    async mimeTypes() {
      const usable = (await states()).filter((state) => state.isAvailable).map(({ name }) => name);
      return decoders
        .filter(({ name }) => usable.includes(name))
        .flatMap(({ mimeTypes }) => mimeTypes);
    },
    async isAvailable(mimeType) {
      const name = nameOf(mimeType);
      return (await states()).some((state) => state.name === name && state.isAvailable);
    },
    reasonOf(mimeType) {
      const name = nameOf(mimeType);
      if (name === undefined) return null;
      void states();
      const reason = known.get(name)?.reason ?? null;
      return reason === null ? null : `No decoder (${name}): ${reason}`;
    },
    states,
  };
}

const TURNED_OFF = 'Turned off by the settings of the server.';
