/** Before the first test: QEMU and a compiler, the pinned kernel, and the guest image, each made ready once. */
import { buildImage, fetchKernel } from '../../vm/index.ts';
import { ensureRequirements } from '../../vm/host/requirements.ts';

/** @throws RingfenceError whose message says what is missing and what to type */
export default async function setup(): Promise<void> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  await ensureRequirements({ log });
  await fetchKernel(undefined, { log });
  await buildImage({ log });
}
