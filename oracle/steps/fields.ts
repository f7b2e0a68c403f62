/** Members that several kinds of steps have in their JSON form. */
import { ringSlot, target } from '../json/parts.ts';
import { required, u32, withDefault } from '../schema/codec.ts';

/** The ring it is about. */
export const RING = required(ringSlot, 'Ring slot, 0 to 15');
/** What an io_uring_register call is aimed at. */
export const ON = required(target);
/** nr_args of a call that takes one structure. */
export const NR_ARGS_ONE = withDefault(u32, 1, 'nr_args of the call');
