import type { BareTerminal } from './command.ts';
import { EXIT } from './exit.ts';

/**
 * Returns the terminal of this process, or its files and pipes. Node.js opens each stream when it is first named, which
 * takes longer than a short command does; so none is named before it is used.
 */
export function processTerminal(): BareTerminal {
  return {
    env: process.env,
    out: (text) => {
      const { stdout } = process;
      if (stdout.listenerCount('error', enough) === 0) stdout.once('error', enough);
      stdout.write(text);
    },
    err: (text) => {
      const { stderr } = process;
      if (stderr.listenerCount('error', ignore) === 0) stderr.on('error', ignore);
      stderr.write(text);
    },
    columns: (stream) => {
      const { isTTY, columns } = process[`std${stream}`];
      return isTTY ? columns || 80 : undefined;
    },
    get ask() {
      return process.stdin.isTTY && process.stderr.isTTY ? ask : undefined;
    },
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
