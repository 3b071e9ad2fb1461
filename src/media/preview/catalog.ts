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
  /** Returns the name of the decoder of a MIME type; null for a type that none draws, or whose decoder is turned off. */
  decoderNameOf(mimeType: string): string | null;
  /** Returns the MIME types of the decoders that are turned on, such as `image/heic` and `video/*`. */
  mimeTypes(): string[];
  /** Returns the state of the decoder of a MIME type; null for a type that none draws. */
  stateOf(mimeType: string): Promise<DecoderState | null>;
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
  let known: { states: Promise<DecoderState[]>; at: number } | undefined;
  const states = () => {
    const now = performance.now();
    if (known === undefined || now - known.at > FRESH_MS) {
      known = { states: Promise.all(decoders.map(find)), at: now };
    }
    return known.states;
  };
  const drawing = (mimeType: string) => decoderOf(mimeType, decoders);
  return {
    decoderNameOf(mimeType) {
      const decoder = drawing(mimeType);
      return decoder !== null && isOn(decoder) ? decoder.name : null;
    },
    mimeTypes: () => decoders.filter(isOn).flatMap(({ mimeTypes }) => mimeTypes),
    async stateOf(mimeType) {
      const decoder = drawing(mimeType);
      return (await states()).find(({ name }) => name === decoder?.name) ?? null;
    },
    states,
  };
}

const TURNED_OFF = 'Turned off by the settings of the server.';
