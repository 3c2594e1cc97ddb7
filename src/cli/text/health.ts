import type { Terminal } from '../command.ts';
import { EXIT } from '../exit.ts';
import { jsonLine } from '../output.ts';

/** Tells whether the service can serve requests. Returns the exit code that says the same. */
export function tellHealth(serving: boolean, json: boolean, terminal: Terminal): number {
  if (json) terminal.out(jsonLine({ serving }));
  else terminal.out(serving ? 'OK\n' : 'not ready: /health of the service says why\n');
  return serving ? EXIT.DONE : EXIT.FAILED;
}
