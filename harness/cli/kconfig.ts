/** ringfence kconfig: the kernel configuration that --build uses. */
import { kconfigFragment } from '../../vm/build/fragment.ts';
import { parse } from './options.ts';

export const HELP = `ringfence kconfig [--debug]: prints the kernel configuration that \`ringfence run --linux DIR --build\` uses

      --debug          with KASAN, lockdep, RCU checks, kmemleak and what they need

It stands on its own on top of nothing:
  npx ringfence kconfig > ringfence.config
  make KCONFIG_ALLCONFIG=ringfence.config allnoconfig
and can be merged into a configuration of yours, so that your own build can be tested with --linux DIR:
  scripts/kconfig/merge_config.sh .config ringfence.config
`;

export async function command(argv: readonly string[]): Promise<number> {
  const { values } = parse(argv, { debug: { type: 'boolean' } } as const, 0);
  process.stdout.write(kconfigFragment({ debug: values.debug === true }));
  return 0;
}
