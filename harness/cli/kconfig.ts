/** ringfence kconfig: the kernel configuration that --build uses. */
import { kconfigFragment } from '../../vm/build/fragment.ts';
import { EXIT } from '../../vm/index.ts';
import { command } from './command.ts';
import { flag } from './option.ts';

/** ringfence kconfig. */
export const KCONFIG = command({
  name: 'kconfig',
  summary: 'the kernel configuration that --linux DIR --build uses',
  about: 'prints the kernel configuration that `ringfence run --linux DIR --build` uses',
  options: { debug: flag('with KASAN, lockdep, RCU checks, kmemleak and what they need') },
  notes: `
It stands on its own on top of nothing:
  npx ringfence kconfig > ringfence.config
  make KCONFIG_ALLCONFIG=ringfence.config allnoconfig
and can be merged into a configuration of yours, so that your own build can be tested with --linux DIR:
  scripts/kconfig/merge_config.sh .config ringfence.config`,
  run: async ({ debug }) => {
    process.stdout.write(kconfigFragment({ debug }));
    return EXIT.ok;
  },
});
