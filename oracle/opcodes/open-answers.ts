/** Open answers that several families of opcodes share. */
import { defineOpen } from '../open-answer.ts';

/** See CONTRIBUTING.md, "An open answer". */
export const FILE_OPEN = defineOpen({
  'file.large': ['not-modelled', 'Offsets and sizes above 64 kB: the model keeps what files hold.'],
});
