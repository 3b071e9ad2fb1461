import SchemaBuilder, {
  BasePlugin,
  type PothosOutputFieldConfig,
  type SchemaTypes,
} from '@pothos/core';
import { encodeGlobalId } from './id.ts';

/** Name of the plugin, for the builder. */
export const NODE_ID_PLUGIN = 'nodeId';

// Merged with Pothos's own declaration, as for every plugin.
declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      nodeId: NodeIdPlugin<Types>;
    }
  }
}

interface NodeOptions {
  id?: { resolve: (node: unknown) => string | number };
}

/**
 * Resolves `id` of every node without a promise. The Relay plugin's own resolver is asynchronous, which costs
 * 50 promises for each page of 50 nodes.
 */
class NodeIdPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>) {
    if (field.name !== 'id' || field.kind !== 'Object') return field;
    const type = this.builder.configStore.getTypeConfig(field.parentType);
    const { id } = type.pothosOptions as NodeOptions;
    if (!id) return field;
    return {
      ...field,
      extensions: { ...field.extensions, needs: ['id'] },
      resolve: (node: unknown) => encodeGlobalId(type.name, id.resolve(node)),
    };
  }
}

// A process that loads this file twice, as `npm run codegen` does, registers it twice.
SchemaBuilder.allowPluginReRegistration = true;
SchemaBuilder.registerPlugin(NODE_ID_PLUGIN, NodeIdPlugin);
