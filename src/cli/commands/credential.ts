import { isCallerName, issueCredential } from '../../server/clients/auth-file.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit.ts';
import { readCall } from '../flags.ts';
import { ROWS } from '../rows.ts';

const HELP = `Create a secret for a caller of the service. This command does not contact a service.

Usage: etcd-discovery credential NAME [--operator]

The secret is printed once, to standard error: give it to the caller. Standard output gets the
line to add to the file of serve --auth-file. That line contains only a hash of the secret.

Callers send the secret as a bearer token (Authorization: Bearer SECRET), with basic authentication
(user NAME, password SECRET), or after a token (TOKEN:SECRET). For this command line, set
DISC_CREDENTIALS=NAME:SECRET.

An operator can also list all clusters of the service: etcd-discovery list, and the page /_clusters.

Flags:
  --operator  Create it for an operator of the service.

Examples:
  etcd-discovery credential ci >> /etc/etcd-discovery/callers
  etcd-discovery credential ada --operator >> /etc/etcd-discovery/callers
`;

const FLAGS = {
  operator: {
    flag: 'operator',
    help: 'Create it for an operator of the service, who can list all clusters.',
  },
} as const;

/** `etcd-discovery credential NAME`. */
export const CREDENTIAL: Command = {
  ...ROWS.credential,
  flags: [FLAGS.operator],
  async run(args, terminal) {
    const reading = readCall('credential', ['NAME'], FLAGS, args, terminal.env);
    if (reading.type === 'HELP') {
      terminal.out(HELP);
      return EXIT.DONE;
    }
    const [name = ''] = reading.type === 'CALL' ? reading.words : [];
    if (reading.type === 'WRONG' || !isCallerName(name)) {
      const problem =
        reading.type === 'WRONG' ? reading.problem : 'the name must have 1 to 64 letters, digits or . _ @ -';
      terminal.err(`etcd-discovery: ${problem}\n`);
      return EXIT.WRONG;
    }
    const isOperator = reading.type === 'CALL' && reading.values.operator;
    const { secret, line } = issueCredential(name, isOperator ? 'OPERATOR' : 'CALLER');
    terminal.err(`secret of ${name}: ${secret}\n`);
    terminal.out(`${line}\n`);
    return EXIT.DONE;
  },
};
