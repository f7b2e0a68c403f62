/** Accounts of this machine. */
import { readFile } from 'node:fs/promises';

/** Numeric user id of an account of this machine; undefined when there is none of that name. */
export async function uidOf(user: string): Promise<number | undefined> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const line = passwd.split('\n').find((l) => l.startsWith(`${user}:`));
  return line === undefined ? undefined : Number(line.split(':')[2]);
}
