/**
 * The kernels that can be fetched, pinned by content. All come from Debian's archive, package
 * `linux-binary-<release>`, which holds the image alone.
 */

import { orderReleases, parseRelease } from '../../oracle/uapi/release.ts';
import type { Release } from '../../oracle/uapi/release.ts';
import type { Machine } from '../machine/index.ts';
import { MACHINES, OWN_MACHINE } from '../machine/index.ts';

/** One pinned kernel. */
export interface PinnedKernel {
  readonly machine: Machine;
  /** Short name, what users type: `7.0.13`. */
  readonly release: string;
  /** What `uname -r` prints in the guest. */
  readonly uname: string;
  /** Debian package and its exact version. */
  readonly package: string;
  readonly version: string;
  /** Debian suite whose index names the package. */
  readonly suite: string;
  /** SHA-256 of the package file, in hex. */
  readonly deb: string;
  /** SHA-256 of what is booted of it, in hex: the ELF image unpacked, or the file as it is (KernelForm). */
  readonly vmlinux: string;
  /** Whether it is new enough to have io_uring BPF filters; the guest's own answer is the authority. */
  readonly feature: boolean;
}

/** What a row says: release, `uname -r`, Debian version, suite, SHA-256 of package and image. */
type Row = readonly [release: string, uname: string, version: string, suite: string, deb: string, vmlinux: string];

function pin(machine: Machine, [release, uname, version, suite, deb, vmlinux]: Row): PinnedKernel {
  const feature = orderReleases(release, '7.0') >= 0;
  return { machine, release, uname, package: `linux-binary-${uname}`, version, suite, deb, vmlinux, feature };
}

/** The kernel that is tested unless the user says otherwise. */
export const DEFAULT_RELEASE = '7.0.13';

/** By `arch` of the machine, oldest first. */
const ROWS: Readonly<Record<string, readonly Row[]>> = {
  x86_64: [
    [
      '6.19.14',
      '6.19.14+deb13-cloud-amd64',
      '6.19.14-1~bpo13+1',
      'trixie-backports',
      '2c7b515d7846cc4ff80943dde6c22e323214b54bfc3e73e02c470034d953193a',
      '5dde7b04dbb62c9717ba9cf692181369b7aae832da8d351b356201d907a6eb67',
    ],
    [
      '7.0.4',
      '7.0.4+deb13-cloud-amd64',
      '7.0.4-1~bpo13+1',
      'trixie-backports',
      'a230e5c31cdaad394f4e3b160290b4ad79fb9e4b87d868477ed8467031183bb0',
      '3b6587acc4585c43f168209226952894fa451c5d9432db1a7b2f4de51867e750',
    ],
    [
      '7.0.7',
      '7.0.7+deb13-cloud-amd64',
      '7.0.7-1~bpo13+1',
      'trixie-backports',
      'e04faf6003428b56fca02c1218d2afd0c6ee0e9ee6f26c97d813f41772d0cba6',
      '55f5dff3b8753aca1b20ae5851a2112fcd293b9746b535812f89de95daaa26eb',
    ],
    [
      '7.0.9',
      '7.0.9+deb13-cloud-amd64',
      '7.0.9-1~bpo13+1',
      'trixie-backports',
      '51dca5fbdd4ad36b9f1eda31faa0eeffc3f7a7dbab74b02cf161be0c3467a90f',
      'e274280a285308d188f6cc5198d17b2a8187d1e81a383cd0b5cfa8a004a96912',
    ],
    [
      '7.0.10',
      '7.0.10+deb13-cloud-amd64',
      '7.0.10-1~bpo13+1',
      'trixie-backports',
      'd64296d43fb1a50c910a75fc69c777bc17cd0a6c08d7b05c628c4c1958b0795e',
      '15840b4dffcb579fde500aadb9de51befc774b55b45b90aed3fab145dcc4e5b3',
    ],
    [
      '7.0.12',
      '7.0.12+deb13-cloud-amd64',
      '7.0.12-2~bpo13+1',
      'trixie-backports',
      'f565b338cbe90832740ed49c27d9cab9439e009cdad1176e8a8582dee1248d43',
      '747818464fbc86f50b9cb4f2c922ff7379a80d734988f68e50c06f8e1cbdbe3c',
    ],
    [
      '7.0.13',
      '7.0.13+deb13-cloud-amd64',
      '7.0.13-1~bpo13+1',
      'trixie-backports',
      '7e2f91866f9d857e5b08fcd915491b4cff79fbe51cdcb081b42658612074a552',
      '537aaa27f857f82b1c7da0b27acc18375a8033c6b7dbf2428545adaa5b879f7a',
    ],
    [
      '7.1.3',
      '7.1.3+deb13-cloud-amd64',
      '7.1.3-1~bpo13+1',
      'trixie-backports',
      '483a108d96f213115738a8708aa8a20ef5d5ea119bb2920aed46aaa57410299f',
      '4beb5c6f87518e337aebc6653d45bec01ac8510e1f992c3047b67a5dae1fe067',
    ],
    [
      '7.1.7',
      '7.1.7+deb13-cloud-amd64',
      '7.1.7-1~bpo13+1',
      'trixie-backports',
      '93594569b799b7cefad537be0f1b163f24cbfe3f3dfeea3ff15adff4764a6036',
      'b38309570f43596a8186fe880a1d25ff2c2b5c7513be7f5b5cab91d4f4f7381e',
    ],
    [
      '7.1.8',
      '7.1.8+deb13-cloud-amd64',
      '7.1.8-1~bpo13+1',
      'trixie-backports',
      '6c1f842b759a8ba6c0acf463e391835884f55b1967d4fc449d4e1ce49c581a95',
      '58c8bee41bcf70935fb608092c4e8c42fd92bd9d46d1721b028cbc4c31f1003c',
    ],
    [
      '7.1.13',
      '7.1.13+deb13-cloud-amd64',
      '7.1.13-1~bpo13+1',
      'trixie-backports',
      '2feb3588cd790e0fd7f4c425b8ede990b34f80f70703aeb3a6b3c21207e59785',
      '10fcc6753b643e1d7cbe27e493d2617c65d030e82005bd9c72594b0bfd98b500',
    ],
    [
      '7.2.6',
      '7.2.6+deb13-cloud-amd64',
      '7.2.6-1~bpo13+1',
      'trixie-backports',
      'c213df3839b725e0309ca93a4c351f072ea06984a16a565415813ca9e722a31c',
      '2e2de431cbbe6f5fa0661540548d5147d23fb2f3be32a07dd4a1bc2f9dfb8818',
    ],
    [
      '7.2.9',
      '7.2.9+deb13-cloud-amd64',
      '7.2.9-1~bpo13+1',
      'trixie-backports',
      'a41738500ddd68b9628ab9637da9ec4a8f2b7ceceea56606e43e8b017c3f86c9',
      'aca4bb3bf5aa7dd82ec384cf39e87378503c71ec5552572a67709c817f045825',
    ],
    [
      '7.2.11',
      '7.2.11+deb13-cloud-amd64',
      '7.2.11-1~bpo13+1',
      'trixie-backports',
      'f9d27364c318c5208501577193d025475958fb86b6d4ddf96d10d41895d26f89',
      'c8853541f24d12006076e1b939f262da73c6ecbfc09f59efec1ac44df76b0fe1',
    ],
    [
      '7.2.12',
      '7.2.12+deb13-cloud-amd64',
      '7.2.12-1~bpo13+1',
      'trixie-backports',
      'aa6720823145e351d3c817c95fe58d89995a2bcba4978ad2418c36a1c272f795',
      'ca7b5653925aaa82fb51672e4ec583cbbef4668596c09b9f2c836fe9498379e3',
    ],
    [
      '7.2.13',
      '7.2.13+deb14-cloud-amd64',
      '7.2.13-1',
      'sid',
      '03e41f1c34c16583462f029e81944a85ebcdb78098c258dedfa1cfdd680a27f8',
      '6566ba5b3d2c57bf65fa6d918080fe5b9be108a44738b5d33948b77682b8dbd6',
    ],
    [
      '7.3.4',
      '7.3.4+deb13-cloud-amd64',
      '7.3.4-1~bpo13+1',
      'trixie-backports',
      'c4fbc8e404958693b28825474c20742d70594d65ca58aea7be6a279c81eb6fa0',
      '4030a415c72c956ed8cb0af353fd31bb755e167883c5ba9d9b3d2c84b22897fe',
    ],
  ],
  arm64: [
    [
      '7.0.13',
      '7.0.13+deb13-cloud-arm64',
      '7.0.13-1~bpo13+1',
      'trixie-backports',
      '53eacd6e32d97f42a407f326d0bb42112dadfd09c434123404ef27860136cd86',
      '7c067715a0049d0c5d5523c3ddb64eb3c1e8ff02c442a8732a06f43bbf1cddce',
    ],
    [
      '7.3.4',
      '7.3.4+deb13-cloud-arm64',
      '7.3.4-1~bpo13+1',
      'trixie-backports',
      '34dc0e1a6320440cc3f6e34d12ae099041a2e10555061d50ff4e5af602121788',
      '2187a5783e663d94a1f12901d0efbb554a288172a9ba77979f12b10d84e41dd1',
    ],
  ],
};

/** Every kernel of that machine that can be fetched, oldest first. */
export function pinnedFor(machine: Machine): readonly PinnedKernel[] {
  return (ROWS[machine.arch] ?? []).map((row) => pin(machine, row));
}

/** Every kernel of this host's own machine that can be fetched, oldest first. */
export const PINNED = pinnedFor(OWN_MACHINE);

/**
 * The pinned kernel of that release for that machine, or of that `uname -r` for whichever machine; undefined when
 * there is none.
 */
export function findPinned(release: string, machine: Machine = OWN_MACHINE): PinnedKernel | undefined {
  return (
    pinnedFor(machine).find((kernel) => kernel.release === release) ??
    MACHINES.flatMap(pinnedFor).find(({ uname }) => uname === release)
  );
}

/** Other pinned kernels of the same series (`7.0`), nearest first; of two equally near ones the newer. */
export function neighbours(release: string, machine: Machine = OWN_MACHINE): PinnedKernel[] {
  const [major, minor, patch] = numbersOf(release);
  const distance = (k: PinnedKernel): number => Math.abs(numbersOf(k.release)[2] - patch);
  return pinnedFor(machine)
    .filter((k) => k.release !== release && k.release.startsWith(`${major}.${minor}.`))
    .sort((a, b) => distance(a) - distance(b) || orderReleases(b.release, a.release));
}

/** Numbers of a release of PINNED. */
function numbersOf(release: string): Release['numbers'] {
  return parseRelease(release)?.numbers ?? [0, 0, 0];
}
