import { readVersion } from '../../server/version.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit.ts';
import { readCall } from '../flags.ts';
import { exampleLines, flagLines } from '../help.ts';
import { jsonLine, OUTPUT, wantsJson } from '../output.ts';
import { problemOutput } from '../problem-output.ts';
import { ROWS } from '../rows.ts';

const HELP = `Print the version of this program. This command does not contact a service.

Usage: etcd-discovery version [flags]

Flags:
${flagLines([OUTPUT])}

${exampleLines(['version', 'version --output json'])}
`;

/** `etcd-discovery version`, also available as `etcd-discovery --version`. */
export const VERSION: Command = {
  ...ROWS.version,
  flags: [OUTPUT],
  async run(args, terminal) {
    const reading = readCall('version', [], { output: OUTPUT }, args, terminal.env);
    switch (reading.type) {
      case 'HELP':
        terminal.out(HELP);
        return EXIT.DONE;
      case 'WRONG': {
        const problem = { exitCode: EXIT.WRONG, message: reading.problem };
        terminal.err(problemOutput(problem, wantsJson(reading.given)));
        return problem.exitCode;
      }
      case 'CALL': {
        const version = readVersion();
        const isJson = reading.values.output === 'json';
        terminal.out(isJson ? jsonLine({ version }) : `etcd-discovery ${version}\n`);
        return EXIT.DONE;
      }
    }
  },
};
