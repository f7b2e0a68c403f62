/** What the other rooms use of this one. */
export { fetchKernel, kernelFromFile } from './kernels/fetch.ts';
export type { Kernel } from './kernels/kernel.ts';
export { DEFAULT_RELEASE, PINNED, type PinnedKernel } from './kernels/pinned.ts';
export { buildImage, type GuestImage } from './guest/image.ts';
export { bootGuest, type BootOptions, type Guest, type GuestExit } from './guest/guest.ts';
export { BootError, EXIT, GuestGoneError, KernelError, RingfenceError, SetupError, UsageError } from './host/errors.ts';
