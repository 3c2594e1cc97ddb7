import { shellWord } from '../etcd/start/shell-word.ts';
import type { Flag } from '../settings/tables/flag.ts';
import { readAccess } from './access.ts';
import { type UnaryClient, unaryClient } from './api/client.ts';
import { closeConnections, type ServiceAccess } from './api/post.ts';
import { cleaned } from './cleaned.ts';
import type { Command, Terminal } from './command.ts';
import { EXIT, Failure } from './exit.ts';
import { type FlagSet, readCall, type Values } from './flags.ts';
import { commandHelp, type Described } from './help.ts';
import { jsonLine, wantsJson } from './output.ts';
import { type CommandProblem, problemOutput } from './problem-output.ts';
import { SERVICE_FLAGS } from './service-flags.ts';
import { type CallTarget, credentialsFor, requireToken, targetOf } from './target.ts';
import { type Style, styleFor } from './text/style.ts';

/** Call is a running command with its parsed arguments. */
export interface Call<F extends FlagSet> extends CallTarget {
  readonly flags: Values<F>;
  /** The arguments that are not flags. `token` holds the token among them, without its URL. */
  readonly words: readonly string[];
  readonly client: UnaryClient;
  /** For the client of the streams. */
  readonly access: ServiceAccess;
  readonly json: boolean;
  readonly terminal: Terminal;
  /** Bold and colours, if standard output supports them. */
  readonly style: Style;
  /** Prints the result for scripts: one line of JSON. */
  readonly printJson: (value: unknown) => void;
  /**
   * Prints a remark on standard error for people. With JSON output nothing is printed, so that programs find
   * only JSON there.
   */
  readonly note: (text: string) => void;
}

export interface ClientCommand<F extends FlagSet> extends Described<F> {
  readonly group: Command['group'];
  /** Runs the command. Returns the exit code if it is not 0. Errors are reported as messages. */
  readonly run: (call: Call<F>) => Promise<number | undefined>;
}

/** Returns the table row of a command that calls a service. */
export function clientCommand<const F extends FlagSet>(spec: ClientCommand<F>): Command {
  const flags: F & typeof SERVICE_FLAGS = { ...spec.flags, ...SERVICE_FLAGS };
  return {
    name: spec.name,
    group: spec.group,
    summary: spec.summary,
    flags: Object.values(flags),
    async run(args, terminal) {
      const reading = readCall(spec.name, spec.args, flags, args, terminal.env);
      if (reading.type === 'HELP') {
        terminal.out(commandHelp(spec, SERVICE_FLAGS));
        return EXIT.DONE;
      }
      if (reading.type === 'WRONG') {
        const problem = { exitCode: EXIT.WRONG, message: reading.problem };
        terminal.err(problemOutput(problem, wantsJson(reading.given)));
        return problem.exitCode;
      }
      const values: Values<typeof SERVICE_FLAGS> & Values<F> = reading.values;
      const argument = spec.args[0] === 'TOKEN' ? (reading.words[0] ?? '') : undefined;
      const target = targetOf(argument, values, reading.given, terminal.env);
      const { server } = target;
      const json = values.output === 'json';
      try {
        if (argument !== undefined) requireToken(argument, values);
        const credentials = credentialsFor(target, values, terminal.env);
        const note = (text: string): void => {
          if (!json) terminal.err(`${text}\n`);
        };
        if (target.remark !== undefined) note(target.remark);
        const access = readAccess({ ...values, server, credentials });
        const exitCode = await spec.run({
          flags: values,
          words: reading.words,
          ...target,
          access,
          client: unaryClient(access, json ? (message) => message : cleaned),
          json,
          terminal,
          style: styleFor(terminal, 'out'),
          printJson: (value) => terminal.out(jsonLine(value)),
          note,
        });
        return exitCode ?? EXIT.DONE;
      } catch (thrown) {
        const problem = readyToPaste(await problemIn(thrown, server), target);
        terminal.err(problemOutput(problem, json));
        return problem.exitCode;
      } finally {
        closeConnections();
      }
    },
  };
}

/** Loads what explains a failed call only if there is one. */
async function problemIn(thrown: unknown, server: string): Promise<CommandProblem> {
  if (thrown instanceof Failure) {
    const { exitCode, message, next } = thrown;
    return { exitCode, message, next };
  }
  const { problemOf } = await import('./problem.ts');
  return problemOf(thrown, server);
}

/** Completes the next step with the given token, and the server if the token does not name it. */
function readyToPaste(problem: CommandProblem, { given, tlsFlags, serverFlags }: CallTarget): CommandProblem {
  const next = problem.next?.replace(
    /etcd-discovery new --size \d+/,
    (command) => `${command}${serverFlags}`,
  );
  const word = given === '' ? undefined : `${shellWord(given)}${tlsFlags}`;
  return { ...problem, next: word === undefined ? next : next?.replace(/\bTOKEN\b/, () => word) };
}

/** Keeps the type of a flag's row, for flags that several commands share. */
export function flag<const F extends Flag<unknown>>(of: F): F {
  return of;
}
