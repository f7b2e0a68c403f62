/** --expect and --strict as options of a run, --bundle as a place. */
import { loadExpectations } from '../known/expectation-file.ts';
import type { PolicyOptions } from '../known/policy.ts';
import { checkBundlePlace } from '../bundle/create.ts';
import { UsageError } from '../../vm/index.ts';

/** Reads the expectation files. A bad one ends everything before anything is run. @throws SetupError naming file, place and what was expected */
export function policy(values: {
  readonly expect?: readonly string[] | undefined;
  readonly strict?: boolean | undefined;
}): PolicyOptions {
  return {
    ...(values.expect === undefined ? {} : { expect: loadExpectations(values.expect) }),
    ...(values.strict === true ? { strict: true } : {}),
  };
}

/** Where the bundle goes; undefined for none. @throws UsageError for another name than FILE.tar.zst, SetupError for a place that cannot be written */
export function bundlePlace(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  if (!/.\.tar\.zst$/.test(file)) throw new UsageError(`--bundle takes a name that ends in .tar.zst, not "${file}"`);
  checkBundlePlace(file);
  return file;
}
