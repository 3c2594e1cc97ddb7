import { prettyFactory } from 'pino-pretty';

/** What a request's line and the start-up line say in their sentences: not to be said again behind them. */
const IN_THE_SENTENCE =
  'method path status ms surface code gone remote http requestId traceId version url listen publicUrl metrics store workers next'.split(
    ' ',
  );

const EVERY_ADDRESS = /^(\[::\]|0\.0\.0\.0):/;

/** A JSON line of the log as a line for people. */
export const forPeople: (line: string) => string = prettyFactory({
  singleLine: true,
  translateTime: 'SYS:HH:MM:ss.l',
  ignore: IN_THE_SENTENCE.join(','),
  messageFormat: (line, _key, _level, { colors }) => {
    const of = (name: string): string => textOf(line[name]);
    const all = (...texts: string[]): string => texts.filter((text) => text !== '').join(', ');
    switch (line['msg']) {
      case 'request': {
        const result = colors.bold(`${of('status')} ${of('code')}`.trimEnd());
        const rest = all(
          `${of('ms')} ms`,
          of('remote'),
          of('requestId'),
          line['gone'] === true ? 'the client left' : '',
        );
        return `${of('method')} ${of('path')} ${result} ${colors.gray(rest)}`;
      }
      case 'serving':
        return [
          `etcd-discovery ${of('version')} is ready`,
          `    listens: ${all(colors.bold(of('url')), EVERY_ADDRESS.test(of('listen')) ? 'and on every other address of this machine' : '')}`,
          ...(line['publicUrl'] === undefined ? [] : [`    public:  ${of('publicUrl')}`]),
          ...(line['metrics'] === undefined ? [] : [`    metrics: ${of('metrics')}`]),
          `    store:   ${of('store')}`,
          ...(line['workers'] === undefined ? [] : [`    workers: ${of('workers')}`]),
          `    next:    ${colors.bold(of('next'))}`,
        ].join('\n');
      default:
        return of('msg');
    }
  },
});

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
