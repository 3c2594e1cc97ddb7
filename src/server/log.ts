import { type DestinationStream, type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Config } from './config.ts';

export type Log = Logger;

/** A log, and the ways to be sure that it is written. */
export interface OpenLog {
  readonly log: Log;
  /** Resolves when every line is written. */
  flush(): Promise<void>;
  /** For an end of the process that cannot wait. */
  flushSync(): void;
}

/** Lines are dropped past this, as a reader of our output that is stuck must not stop the service. */
const MAX_UNWRITTEN_BYTES = 16 * 1024 * 1024;

/** The log on standard output: JSON, an object a line, or lines for people. */
export function openLog(config: Pick<Config, 'logLevel' | 'logFormat'>): OpenLog {
  const text = config.logFormat === 'text' || (config.logFormat === 'auto' && process.stdout.isTTY);
  // Written in the background, while the next lines gather: under load, many lines are one write.
  const out = pino.destination({ fd: 1, sync: false, minLength: 1, maxLength: MAX_UNWRITTEN_BYTES });
  return {
    log: createLog(config.logLevel, text ? 'text' : 'json', out),
    flush: () => new Promise((resolve) => out.flush(() => resolve())),
    flushSync: () => out.flushSync(),
  };
}

export function createLog(level: Config['logLevel'], format: 'json' | 'text', out: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    format === 'json' ? out : { write: (line) => out.write(forPeople(line)) },
  );
}

/** What a request's line and the start-up line say in their sentences: not to be said again behind them. */
const IN_THE_SENTENCE = 'method path status ms surface rpc code remote http version url store next'.split(
  ' ',
);

const forPeople = prettyFactory({
  singleLine: true,
  translateTime: 'SYS:HH:MM:ss.l',
  ignore: IN_THE_SENTENCE.join(','),
  messageFormat: (line, _key, _level, { colors }) => {
    const of = (name: string): string => String(line[name] ?? '');
    switch (line['msg']) {
      case 'request': {
        const code = line['code'] === undefined ? of('status') : `${of('status')} ${of('code')}`;
        return `${of('method')} ${of('path')} ${colors.bold(code)} ${colors.gray(`${of('ms')} ms, ${of('remote')}`)}`;
      }
      case 'serving':
        return [
          `etcd-discovery ${of('version')} is ready at ${colors.bold(of('url'))}`,
          `    store: ${of('store')}`,
          `    next:  ${colors.bold(of('next'))}`,
        ].join('\n');
      default:
        return of('msg');
    }
  },
});
