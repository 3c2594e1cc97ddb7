import type { Terminal } from '../command.ts';
import { EXIT } from '../exit.ts';
import { jsonLine } from '../output.ts';

/** Prints whether the service can serve requests. Returns the matching exit code. */
export function tellHealth(serving: boolean, json: boolean, terminal: Terminal): number {
  if (json) terminal.out(jsonLine({ serving }));
  else terminal.out(serving ? 'OK\n' : 'not ready: see /health of the service for the reason\n');
  return serving ? EXIT.DONE : EXIT.FAILED;
}
