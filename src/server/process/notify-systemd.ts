import { execFile } from 'node:child_process';
import type { Log } from '../telemetry/log.ts';

/** ServiceState is a state for systemd: sd_notify(3). */
export type ServiceState = 'READY=1' | 'STOPPING=1';

/** Longer than systemd takes to read it, in ms. */
const LIMIT_MS = 10_000;

/**
 * Reports the state of the service to systemd if it was started with Type=notify. Node.js does not support
 * datagram Unix sockets, so systemd's own program sends it: the unit needs NotifyAccess=all.
 */
export function notifySystemd(state: ServiceState, log: Log): void {
  if (process.env['NOTIFY_SOCKET'] === undefined) return;
  execFile('systemd-notify', [state], { timeout: LIMIT_MS }, (error) => {
    if (error === null) return;
    const { message } = error;
    log.warn(
      `could not send ${state} to systemd, which may stop the service: ${message.trim().split('\n', 1)[0]}`,
    );
  });
}
