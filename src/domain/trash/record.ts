import type { TrashedNodeRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { parseTrashed } from '../tree/discard.ts';
import { nodeTarget } from '../tree/node.ts';
import { recordAudit } from '../viewer/audit.ts';

/** Records in the audit log what is done to nodes in the trash. */
export function recordTrash(
  ctx: Context,
  action: 'restore' | 'purge',
  nodes: readonly TrashedNodeRow[],
): Promise<void> {
  const entries = nodes.map((node) => ({ action, target: nodeTarget(parseTrashed(node)) }));
  return recordAudit(ctx, ...entries);
}
