/** A failure of a move that the operator can resolve. The message is complete. */
export class MoveError extends Error {
  override readonly name = 'MoveError';
  /** Marks it as an error to print without its stack. */
  readonly code = 'MOVE_FAILED';
}
