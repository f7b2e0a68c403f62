/** What set-up errors mean to git bisect. */
import { isBisecting } from '../../vm/build/git.ts';
import { EXIT } from '../../vm/index.ts';

/** How to use it, for the help. */
export const BISECT_HELP = `
Bisecting: which commit broke a case (a file of out/divergences, or one that was good at first)
  git bisect start BAD GOOD
  git bisect run npx ringfence run --linux . --build --replay CASE.json
(\`npm link\` in ringfence's directory, once, makes \`npx ringfence\` work in every other; or: npx --prefix DIR
ringfence ...)
A commit that does not build or boot, that has no io_uring filters, or that a --patch does not apply to is skipped
(125).
While a bisection is under way, errors of usage and set-up end with 128 instead of 2: git stops there and can go on
later, instead of calling the commit bad.
`;

/** `git bisect run` stops at any code from 128 on. */
const STOP_BISECT = 128;

/**
 * The exit code for a set-up or usage error: 2, but 128 while the tree of --linux is being bisected, because
 * git takes 2 for "this commit is bad". @param argv all words of the command line, also of one that cannot be parsed
 */
export function setupExit(argv: readonly string[]): number {
  const at = argv.findIndex((word) => word === '--linux' || word.startsWith('--linux='));
  const dir = at < 0 ? undefined : argv[at]!.includes('=') ? argv[at]!.slice('--linux='.length) : argv[at + 1];
  return dir !== undefined && isBisecting(dir) ? STOP_BISECT : EXIT.usage;
}
