import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cleanEnv, type Ending } from './child.ts';

const MAIN = fileURLToPath(new URL('../../src/main.cjs', import.meta.url));
// null if the program does not exist, whatever the type says.
const VERSION = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout as string | null;
const ESCAPE = String.fromCharCode(27);

/** Why no terminal is available; false if one is. */
export const noPty: string | false =
  (VERSION?.includes('util-linux') ?? false) ? false : 'needs script(1) of util-linux on PATH';

/** A command on a terminal of its own, 80 columns wide by default. */
export class Pty {
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
  /** Everything sent to the terminal, with escape sequences. */
  output = '';

  constructor(command: string, env: Readonly<Record<string, string>> = {}, columns = 80) {
    const line = `stty cols ${columns} rows 24; exec ${command}`;
    this.child = spawn('script', ['--quiet', '--flush', '--return', '--command', line, '/dev/null'], {
      env: { ...cleanEnv(), TERM: 'xterm', SHELL: '/bin/bash', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
    const kill = (): boolean => this.child.kill('SIGKILL');
    process.once('exit', kill);
    void this.ended.then(() => process.off('exit', kill));
  }

  /** Runs `etcd-discovery`. */
  static run(args: readonly string[], env: Readonly<Record<string, string>> = {}, columns?: number): Pty {
    const words = [process.execPath, MAIN, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    return new Pty(words.join(' '), env, columns);
  }

  /** Types text. */
  type(text: string): void {
    this.child.stdin?.write(text);
  }

  /** Returns the visible text: without erased or overwritten parts and without colours. */
  screen(): string {
    return screenOf(this.output);
  }
}

const COLOUR = new RegExp(`${ESCAPE}\\[(?:[\\d;]*m|\\?\\d+[hl])`, 'g');

/** Returns the lines that a terminal shows for text with carriage returns and "erase to end of line". */
export function screenOf(text: string): string {
  const lines = text.replaceAll(COLOUR, '').split('\n');
  return lines.map(lineOf).join('\n');
}

function lineOf(line: string): string {
  let shown = '';
  for (const part of line.replaceAll('\x1b[K', '\x00').split('\r')) {
    const [over = '', ...erased] = part.split('\x00');
    if (erased.length > 0) shown = over + erased.join('');
    else shown = over + shown.slice(over.length);
  }
  return shown;
}
