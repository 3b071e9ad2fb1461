import type { Line } from './hub.ts';

/** Decides which worker runs the jobs. */
export interface DutyOwner {
  /** Adds a worker that accepts requests. */
  join(line: Line): void;
  /** Removes a worker that has ended. If it ran the jobs, another one does from then on. */
  leave(name: string): void;
}

const LOST_MAX = 100;

/** Creates the choice among no workers. */
export function createDutyOwner(): DutyOwner {
  const lines = new Map<string, Line>();
  /** Names of those that have run the jobs and have ended, the last ones: leases of the others have expired. */
  const lost: string[] = [];
  let owner: Line | undefined;

  function choose(): void {
    [owner] = lines.values();
    owner?.send({ type: 'run-jobs', lost: [...lost] }, () => undefined);
  }

  return {
    join(line) {
      lines.set(line.name, line);
      if (owner === undefined) choose();
    },
    leave(name) {
      lines.delete(name);
      if (owner?.name !== name) return;
      lost.push(name);
      if (lost.length > LOST_MAX) lost.shift();
      choose();
    },
  };
}
