import type { Terminal } from '../command.ts';

/** Style is emphasis, which has no effect where it is unsupported or unwanted. */
export type Style = Readonly<Record<'bold' | 'dim' | 'green' | 'yellow' | 'red', (text: string) => string>>;

const CODES = { bold: [1, 22], dim: [2, 22], green: [32, 39], yellow: [33, 39], red: [31, 39] } as const;

/** Returns the style that a stream of the terminal supports. NO_COLOR: see no-color.org. */
export function styleFor({ env, columns, control }: Terminal, stream: 'out' | 'err'): Style {
  const wanted = (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb' && columns(stream) !== undefined;
  const style = (name: keyof typeof CODES) => {
    const [on, off] = CODES[name];
    return (text: string) => (wanted ? `${control(`${on}m`)}${text}${control(`${off}m`)}` : text);
  };
  return {
    bold: style('bold'),
    dim: style('dim'),
    green: style('green'),
    yellow: style('yellow'),
    red: style('red'),
  };
}
