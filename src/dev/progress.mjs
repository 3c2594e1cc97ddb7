import { spawn } from 'node:child_process';
import { ROOT } from './root.mjs';

const EVERY_MS = 500;
const ERASE = '\r\x1b[K';

/**
 * Runs a command in the clone and reports it on one line; at a terminal with the elapsed seconds and the
 * progress that `about` returns. The command's output follows. Returns why it failed, if it did.
 */
export async function step(title, command, args, { about = () => '', done = () => '' } = {}) {
  const began = performance.now();
  const seconds = () => ((performance.now() - began) / 1000).toFixed(1);
  const atTerminal = process.stderr.isTTY === true;
  const show = () => process.stderr.write(`${ERASE}${title} ... ${about()}${seconds()} s`);
  if (!atTerminal) process.stderr.write(`${title} ...\n`);
  const timer = atTerminal ? setInterval(show, EVERY_MS) : undefined;
  if (atTerminal) show();
  const { output, problem } = await run(command, args);
  clearInterval(timer);
  const result = problem === undefined ? `${done()}done in ${seconds()} s` : 'failed';
  process.stderr.write(`${atTerminal ? ERASE : ''}${title}: ${result}\n${output}`);
  return problem;
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      shell: process.platform === 'win32',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', ({ message }) => resolve({ output, problem: message }));
    child.on('close', (code, signal) =>
      resolve({ output, problem: code === 0 ? undefined : `exit code ${code ?? signal}` }),
    );
  });
}
