import { writeSync } from 'node:fs';
import type { BareTerminal } from './command.ts';
import { EXIT } from './exit.ts';

/**
 * Returns the terminal of this process, or its files and pipes. Node.js opens each stream when it is first named, which
 * takes longer than a short command does; so none is named before it is needed.
 */
export function processTerminal(): BareTerminal {
  return {
    env: process.env,
    out: writer('out', enough),
    err: writer('err', ignore),
    columns: (stream) => {
      const isTerminal = process.getBuiltinModule('node:tty').isatty(FILES[stream]);
      return isTerminal ? process[`std${stream}`].columns || 80 : undefined;
    },
    get ask() {
      return process.stdin.isTTY && process.stderr.isTTY ? ask : undefined;
    },
  };
}

const FILES = { out: 1, err: 2 } as const;

/** Writes at once, as Node's streams do here. They write what a pipe does not accept now, and all after it. */
function writer(
  stream: 'out' | 'err',
  failed: (error: NodeJS.ErrnoException) => void,
): (text: string) => void {
  let isOpen = process.platform === 'win32';
  return (text) => {
    let rest = Buffer.from(text);
    if (!isOpen) {
      try {
        while (rest.length > 0) rest = rest.subarray(writeSync(FILES[stream], rest));
        return;
      } catch (thrown) {
        const error = thrown as NodeJS.ErrnoException;
        if (error.code !== 'EAGAIN') return failed(error);
        isOpen = true;
      }
    }
    const opened = process[`std${stream}`];
    if (opened.listenerCount('error', failed) === 0) opened.on('error', failed);
    opened.write(rest);
  };
}

/** The reader of standard error may close the pipe; the result goes elsewhere. */
function ignore(): void {}

/**
 * Ends the process when the reader has closed the pipe (`| head`), which is not a failure. A full disk is
 * one.
 */
function enough(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`etcd-discovery: cannot write to standard output: ${error.message}\n`);
  process.exit(EXIT.FAILED);
}

/** End of input (Ctrl-D) is an empty answer; Ctrl-C ends the process as usual. */
async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise((resolve) => {
      lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      lines.once('close', () => {
        process.stderr.write('\n');
        resolve('');
      });
      const answered = (answer: string): void => {
        lines.removeAllListeners('close');
        resolve(answer);
      };
      // With Ctrl-D, a rejection accompanies the close event.
      void lines.question(question).then(answered, () => {});
    });
  } finally {
    lines.close();
  }
}

/** Calls a function before Ctrl-C ends the process. Returns a function that cancels this. */
export function onInterrupt(run: () => void): () => void {
  const interrupted = (): void => {
    run();
    process.kill(process.pid, 'SIGINT');
  };
  process.once('SIGINT', interrupted);
  return () => process.off('SIGINT', interrupted);
}
