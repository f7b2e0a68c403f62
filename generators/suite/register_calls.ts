/** Other io_uring_register calls. */
import type { Target } from '../../oracle/scenario/types.ts';
import type { Builder } from '../builder.ts';

/** One call of a register opcode that is not part of the feature. */
export function drawRegister(b: Builder, task: number, on: Target): void {
  const opcode = b.d.pick([12, 3, 1, 5, 10, 27, 36, 38, 99]);
  b.push({ do: 'register', task, on, opcode, nr_args: 0 });
}
