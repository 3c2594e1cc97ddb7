import { createClient, type Transport } from '@connectrpc/connect';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import type { DiscoveryClient } from '../client/index.ts';
import { shellWord } from '../etcd/start/shell-word.ts';
import type { Flag } from '../settings/tables/flag.ts';
import { FILE } from '../settings/tables/setting.ts';
import { parsePublicUrl } from '../values/address.ts';
import type { Command, Terminal } from './command.ts';
import { EXIT, Failure } from './exit.ts';
import { type FlagSet, readCall, type Values } from './flags.ts';
import { commandHelp, type Described } from './help.ts';
import { jsonLine, OUTPUT, wantsJson } from './output.ts';
import { printableTransport } from './printable-transport.ts';
import { NEW_TOKEN, problemOf } from './problem.ts';
import { type Problem, problemOutput } from './problem-output.ts';
import { type Style, styleFor } from './text/style.ts';
import { parseTokenArgument } from './token.ts';
import { openTransport } from './transport.ts';

/** What every command takes that asks a service. */
const COMMON = {
  server: {
    flag: 'server',
    short: 's',
    value: 'URL',
    takes: 'a URL of scheme, host and perhaps a path, like http://localhost:8087',
    parse: parsePublicUrl,
    default: 'http://localhost:8087',
    env: 'DISC_SERVER',
    help: "The service. A token's whole URL says it too.",
  },
  cacert: { flag: 'cacert', ...FILE, help: "The CA of the service's certificate, in PEM." },
  cert: { flag: 'cert', ...FILE, help: 'A client certificate in PEM, where the service asks for one.' },
  key: { flag: 'key', ...FILE, help: 'Its private key in PEM.' },
  output: OUTPUT,
} as const satisfies FlagSet;

/** A command that is being run. */
export interface Call<F extends FlagSet> {
  readonly flags: Values<F>;
  /** The arguments that are no flags. A token among them is bare. */
  readonly words: readonly string[];
  readonly token: string;
  /** As it was given: the same for another command. */
  readonly given: string;
  readonly server: string;
  readonly client: DiscoveryClient;
  /** For clients of the other services that are there. */
  readonly transport: Transport;
  readonly json: boolean;
  readonly terminal: Terminal;
  /** Bold and colours, where standard output can show them. */
  readonly style: Style;
  /** Writes what a script reads: one line of JSON. */
  readonly printJson: (value: unknown) => void;
  /** Writes a remark on standard error, for people alone: a program finds nothing there that is not JSON. */
  readonly note: (text: string) => void;
}

export interface ClientCommand<F extends FlagSet> extends Described<F> {
  readonly group: Command['group'];
  /** Returns the exit code where that is not 0. What it throws is told in words. */
  readonly run: (call: Call<F>) => Promise<number | undefined>;
}

/** A row of the table for a command that asks a service. */
export function clientCommand<const F extends FlagSet>(spec: ClientCommand<F>): Command {
  const flags: F & typeof COMMON = { ...spec.flags, ...COMMON };
  return {
    name: spec.name,
    group: spec.group,
    summary: spec.summary,
    flags: Object.values(flags),
    async run(args, terminal) {
      const reading = readCall(spec.name, spec.args, flags, args, terminal.env);
      if (reading.type === 'HELP') {
        terminal.out(commandHelp(spec, COMMON));
        return EXIT.DONE;
      }
      if (reading.type === 'WRONG') {
        const problem = { exitCode: EXIT.WRONG, message: reading.problem };
        terminal.err(problemOutput(problem, wantsJson(reading.given)));
        return problem.exitCode;
      }
      const values: Values<typeof COMMON> & Values<F> = reading.values;
      const [first = ''] = reading.words;
      const argument = spec.args[0] === 'TOKEN' ? parseTokenArgument(first) : undefined;
      const says = reading.given.has('server');
      const server = (says ? undefined : argument?.server) ?? values.server;
      // So that the next command asks the same service.
      const given = says && argument !== undefined ? `${server}/${argument.token}` : first;
      const json = values.output === 'json';
      try {
        if (spec.args[0] === 'TOKEN' && argument === undefined) {
          throw new Failure(EXIT.WRONG, 'the URL has no token in it: it is like http://localhost:8087/TOKEN');
        }
        // Not a flag, as every user of the machine can read what a flag says.
        const credentials = terminal.env['DISC_CREDENTIALS'] || undefined;
        if (credentials !== undefined) requireTrusted(server, values.server, first);
        const bare = openTransport({ ...values, server, credentials });
        const transport = json ? bare : printableTransport(bare);
        const exitCode = await spec.run({
          flags: values,
          words: reading.words,
          token: argument?.token ?? '',
          given,
          server,
          transport,
          client: createClient(DiscoveryService, transport),
          json,
          terminal,
          style: styleFor(terminal, 'out'),
          printJson: (value) => terminal.out(jsonLine(value)),
          note: (text) => {
            if (!json) terminal.err(`${text}\n`);
          },
        });
        return exitCode ?? EXIT.DONE;
      } catch (thrown) {
        const usual = parsePublicUrl(terminal.env['DISC_SERVER'] ?? '') ?? COMMON.server.default;
        const there = server === usual ? '' : ` --server ${shellWord(server)}`;
        const problem = readyToPaste(problemOf(thrown, server), given, there);
        terminal.err(problemOutput(problem, json));
        return problem.exitCode;
      }
    },
  };
}

/** Refuses to show credentials to a service that a token's URL alone has named. */
function requireTrusted(server: string, configured: string, given: string): void {
  if (server === configured) return;
  throw new Failure(
    EXIT.WRONG,
    `DISC_CREDENTIALS are for ${configured} (--server, DISC_SERVER), and the URL of the token names ${server}: they were not sent`,
    `if they are for ${server} too, say so with --server ${shellWord(server)}; else unset DISC_CREDENTIALS for ${shellWord(given)}`,
  );
}

/** The next step with what was given in it: the token, and where the service is when that is not said elsewhere. */
function readyToPaste(problem: Problem, given: string, there: string): Problem {
  const next = problem.next?.replace(NEW_TOKEN, () => `${NEW_TOKEN}${there}`);
  return { ...problem, next: given === '' ? next : next?.replace('TOKEN', () => shellWord(given)) };
}

/** The type of a flag's row, for flags that several commands have. */
export function flag<const F extends Flag<unknown>>(of: F): F {
  return of;
}
