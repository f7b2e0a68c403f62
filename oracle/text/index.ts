/** Parts of scenarios and predictions as a kernel developer reads them. */
export { hex, openFlagsText, resultText } from '../uapi/text.ts';
export { allowedText, bytesText, count, plain } from './numbers.ts';
export { sqeText } from './sqe.ts';
export {
  bpfText,
  placementText,
  rawArgumentText,
  registerName,
  registerText,
  restrictionText,
  taskRestrictionsText,
} from './parts.ts';
