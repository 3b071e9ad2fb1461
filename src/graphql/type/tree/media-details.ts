import type { MediaDetails } from '../../../domain/tree/media-details.ts';
import { builder } from '../../builder.ts';
import { exposeNullable } from '../../expose.ts';

const HIDDEN =
  'Null for viewers without a credential if the server requires one, and for viewers who may not edit the media item if the server removes location from files.';

/** What the original file of a media item says of itself. */
export const MediaDetailsRef = builder.objectRef<MediaDetails>('MediaDetails').implement({
  description:
    'Metadata that a background job has read from the original file of a media item. Each field is null if the file does not say it. The values are those of the file, which may be wrong.',
  fields: (t) => ({
    ...exposeNullable(t, 'DateTime', {
      takenAt:
        'Time at which the photo or video was taken. A time without a zone, as older cameras write it, counts as UTC.',
    }),
    ...exposeNullable(t, 'String', {
      camera: 'Maker and model of the camera.',
      lens: 'Model of the lens.',
      exposure: 'Exposure time and aperture, such as `1/250 s, f/2.8`.',
    }),
    ...exposeNullable(t, 'Int', { iso: 'ISO sensitivity.' }),
    latitude: t.exposeFloat('latitude', {
      nullable: true,
      description: `Latitude in degrees, north positive. ${HIDDEN}`,
    }),
    longitude: t.exposeFloat('longitude', {
      nullable: true,
      description: `Longitude in degrees, east positive. ${HIDDEN}`,
    }),
    altitudeM: t.exposeFloat('altitudeM', {
      nullable: true,
      description: `Altitude above sea level in meters. ${HIDDEN}`,
    }),
    ...exposeNullable(t, 'Int', {
      width: 'Width of the frames of a video in pixels, as displayed. Null for other files.',
      height: 'Height of the frames of a video in pixels, as displayed. Null for other files.',
      durationMs: 'Duration in milliseconds.',
    }),
    frameRate: t.exposeFloat('frameRate', {
      nullable: true,
      description: 'Frames per second of the video, on average over its first frames.',
    }),
    ...exposeNullable(t, 'String', {
      videoCodec: 'Codec of the first video track, such as `h264`, `hevc`, `vp9` or `av1`.',
      audioCodec: 'Codec of the first audio track, such as `aac`, `mp3`, `opus` or `flac`.',
    }),
    ...exposeNullable(t, 'Int', {
      bitRate: 'Average bit rate in bits per second: of the audio, or of all tracks of a video.',
      pageCount: 'Number of pages of a PDF.',
    }),
    ...exposeNullable(t, 'String', {
      textSnippet: 'Beginning of the text of a PDF, at most 1,000 characters.',
      author: 'Author, photographer or artist.',
      copyright: 'Copyright notice.',
    }),
  }),
});
