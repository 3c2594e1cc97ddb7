import type { BareTerminal } from './command.ts';
import { EXIT } from './exit.ts';

/** The terminal, or the files and pipes, of this process. */
export function processTerminal(): BareTerminal {
  const { stdin, stdout, stderr } = process;
  const streams = { out: stdout, err: stderr } as const;
  // Who reads the remarks may leave: the result is somebody else's.
  stderr.on('error', () => {});
  return {
    env: process.env,
    out: (text) => {
      if (stdout.listenerCount('error', enough) === 0) stdout.once('error', enough);
      stdout.write(text);
    },
    err: (text) => stderr.write(text),
    columns: (stream) => (streams[stream].isTTY ? streams[stream].columns || 80 : undefined),
    ask: stdin.isTTY && stderr.isTTY ? ask : undefined,
  };
}

/** Who reads has seen enough (`| head`): no failure, and nothing is left to do. A full disk is one. */
function enough(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`etcd-discovery: standard output cannot be written: ${error.message}\n`);
  process.exit(EXIT.FAILED);
}

/** An end of the input (Ctrl-D) is an empty answer; Ctrl-C ends the process as it does everywhere. */
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
      // Ctrl-D is a rejection beside the close.
      void lines.question(question).then(answered, () => {});
    });
  } finally {
    lines.close();
  }
}

/** Does something before Ctrl-C ends the process, as it does all the same. Returns what takes that back. */
export function onInterrupt(run: () => void): () => void {
  const interrupted = (): void => {
    run();
    process.kill(process.pid, 'SIGINT');
  };
  process.once('SIGINT', interrupted);
  return () => process.off('SIGINT', interrupted);
}
