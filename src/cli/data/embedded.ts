import type { Config } from '../../settings/config.ts';

/** What is wrong with a command about the embedded store when the settings choose another one. */
export function embedded(command: string, { store }: Config): string | undefined {
  if (store.type === 'EMBEDDED') return undefined;
  return `${command} is for the embedded store, and DISC_ETCD is set: use etcdctl for the etcd store, or unset it`;
}
