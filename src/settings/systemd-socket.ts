import type { ListenAddress } from '../values/address.ts';
import type { Env } from './given.ts';

/** The first descriptor that systemd passes (sd_listen_fds(3)). */
const FIRST_FD = 3;

/**
 * Returns the socket on which systemd listens for this process, so that it stays open while the service
 * restarts. Undefined: none was passed. A string says what is wrong.
 */
export function passedSocket(env: Env, pid: number): ListenAddress | string | undefined {
  const { LISTEN_PID: of, LISTEN_FDS: count = '' } = env;
  if (of !== String(pid)) return undefined;
  if (count === '1') return { host: undefined, port: 0, fd: FIRST_FD };
  return `LISTEN_FDS ${JSON.stringify(count.slice(0, 20))}: the service accepts one socket; use one ListenStream= in the socket unit`;
}
