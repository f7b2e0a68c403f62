/** A directory that looks like a Linux tree and "builds" by copying a file: the whole path without a compiler. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Writes files below a directory; parents are made. */
export function writeTree(dir: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
}

/**
 * The tree. Its kernel is the file that `io_uring/bpf_filter.c` names; a `bpf_filter.c` that says `broken` does not
 * build.
 * Each source in `kernel/` is "compiled" by its own rule, and the log says so.
 */
export function fakeTree(dir: string, kernel: string, more: Readonly<Record<string, string>> = {}): void {
  writeTree(dir, {
    Makefile: `VERSION = 7
PATCHLEVEL = 0
SUBLEVEL = 13
EXTRAVERSION = -fake
.PHONY: allnoconfig vmlinux
allnoconfig:
	@cp $(KCONFIG_ALLCONFIG) $(O)/.config
	@echo CONFIG_BPF=y >> $(O)/.config
$(O)/fork.o: kernel/fork.c
	@echo '  CC      kernel/fork.o'
	@cp $< $@
vmlinux: $(O)/fork.o
	@if grep -q broken io_uring/bpf_filter.c; then \\
	  echo "io_uring/bpf_filter.c:1:1: error: expected identifier"; exit 1; fi
	@cp $$(cat io_uring/bpf_filter.c) $(O)/vmlinux
`,
    Kbuild: '',
    Kconfig: '',
    'init/main.c': '',
    'kernel/fork.c': 'first\n',
    'io_uring/bpf_filter.c': `${kernel}\n`,
    ...more,
  });
}
