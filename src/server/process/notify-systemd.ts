import { execFile } from 'node:child_process';
import type { Log } from '../telemetry/log.ts';

/** What is told to systemd: sd_notify(3). */
export type ServiceState = 'READY=1' | 'STOPPING=1';

/** Longer than systemd takes to read it. */
const LIMIT_MS = 10_000;

/**
 * Tells systemd how the service is, when it was started with Type=notify. Node.js has no datagram sockets of a path, so
 * systemd's own program sends it: its unit needs NotifyAccess=all.
 */
export function notifySystemd(state: ServiceState, log: Log): void {
  if (process.env['NOTIFY_SOCKET'] === undefined) return;
  execFile('systemd-notify', [state], { timeout: LIMIT_MS }, (error) => {
    if (error === null) return;
    const { message } = error;
    log.warn(`systemd was not told ${state}, and may end the service: ${message.trim().split('\n', 1)[0]}`);
  });
}
