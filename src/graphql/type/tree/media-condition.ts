import { builder } from '../../builder.ts';

/** A circle on the earth, in a filter. */
export const NearFilter = builder.inputType('NearFilter', {
  description: 'A circle on the earth.',
  fields: (t) => ({
    latitude: t.float({
      required: true,
      description: 'Latitude of the center in degrees, -90 to 90.',
    }),
    longitude: t.float({
      required: true,
      description: 'Longitude of the center in degrees, -180 to 180.',
    }),
    radiusM: t.int({
      required: true,
      description: 'Radius in meters, 1 to 20,040,000, which is half of the way around the earth.',
    }),
  }),
});

/** A condition on a custom field, as clients send it. */
export interface MetadataShape {
  key: string;
  equals?: NonNullable<unknown> | null | undefined;
  exists?: boolean | null | undefined;
}

/** A condition on a custom field, in a filter. */
export const MetadataFilter = builder.inputRef<MetadataShape>('MetadataFilter').implement({
  description:
    'A condition on a custom field. Without `equals` and `exists`, the field must exist.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'Name of the field.' }),
    // Pothos takes the type of a nullable input to be without null, which the unknown type of JSON is not.
    equals: t.field({
      type: 'JSON',
      description: 'Value that the field must have. The order of the fields of objects is ignored.',
    }) as never,
    exists: t.boolean({
      description:
        'Whether the media item must have the field or must not have it. Not to be false with `equals`.',
    }),
  }),
});
