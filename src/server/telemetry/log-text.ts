import { prettyFactory } from 'pino-pretty';

/** Fields that are part of the sentence of a request or of the start-up, and are not repeated after it. */
const IN_THE_SENTENCE =
  'method path status ms surface code token reason gone remote http requestId traceId version url listen publicUrl metrics store workers next'.split(
    ' ',
  );

const EVERY_ADDRESS = /^(\[::\]|0\.0\.0\.0):/;

/** Converts a JSON line of the log to a line for people. */
export const lineForPeople: (line: string) => string = prettyFactory({
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
          line['gone'] === true ? 'client disconnected' : '',
        );
        // The token of an RPC is not in its path.
        const token = of('path').includes(of('token')) ? '' : ` ${of('token')}`;
        const why = line['reason'] === undefined ? '' : ` ${of('reason')}`;
        return `${of('method')} ${of('path')}${token} ${result}${why} ${colors.gray(rest)}`;
      }
      case 'serving':
        return [
          `etcd-discovery ${of('version')} is ready`,
          `    listens: ${all(colors.bold(of('url')), EVERY_ADDRESS.test(of('listen')) ? 'and all other addresses of this machine' : '')}`,
          ...(line['publicUrl'] === undefined ? [] : [`    public:  ${of('publicUrl')}`]),
          ...(line['metrics'] === undefined ? [] : [`    metrics: ${of('metrics')}`]),
          `    store:   ${of('store')}`,
          ...(line['workers'] === undefined ? [] : [`    workers: ${of('workers')}`]),
          `    next:    ${colors.bold(of('next'))}`,
        ].join('\n');
      default:
        return [of('token'), of('msg'), of('reason')].filter((text) => text !== '').join(': ');
    }
  },
});

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
