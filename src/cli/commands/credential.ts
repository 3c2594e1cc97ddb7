import { isCallerName, issueCredential } from '../../server/clients/auth-file.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit.ts';
import { readCall } from '../flags.ts';

const HELP = `Make a secret for a caller that the service shall know. It asks no service.

Usage: etcd-discovery credential NAME [--operator]

The secret goes to standard error, once: give it to the caller. The line by which the service knows
it goes to standard output: add it to the file of serve --auth-file. It has a hash of the secret only.

Callers show it as a bearer (Authorization: Bearer SECRET), with NAME as user and SECRET as password,
behind a token (TOKEN:SECRET), or to this command line with DISC_CREDENTIALS=NAME:SECRET.

An operator may besides list all clusters of the service: etcd-discovery list, and the page /_clusters.

Flags:
  --operator  for an operator of the service

Examples:
  etcd-discovery credential ci >> /etc/etcd-discovery/callers
  etcd-discovery credential ada --operator >> /etc/etcd-discovery/callers
`;

const FLAGS = {
  operator: { flag: 'operator', help: 'For an operator of the service, who may list all clusters.' },
} as const;

/** `etcd-discovery credential NAME`. */
export const CREDENTIAL: Command = {
  name: 'credential',
  group: 'Service',
  summary: 'make a secret for a caller, and the line by which the service knows it',
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
        reading.type === 'WRONG' ? reading.problem : 'a name has 1 to 64 letters, digits and . _ @ -';
      terminal.err(`etcd-discovery: ${problem}\n`);
      return EXIT.WRONG;
    }
    const isOperator = reading.type === 'CALL' && reading.values.operator;
    const { secret, line } = issueCredential(name, isOperator ? 'OPERATOR' : 'CALLER');
    terminal.err(`the secret of ${name}: ${secret}\n`);
    terminal.out(`${line}\n`);
    return EXIT.DONE;
  },
};
