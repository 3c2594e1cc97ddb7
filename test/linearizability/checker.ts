import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideGo, ROOT, type Tool } from '../support/programs.ts';
import { linesOf, type Recorded } from './history.ts';

// The program of test/linearizability/go, around the checker Porcupine. It is made once, in a long run, and kept.

const SOURCES = join(ROOT, 'test', 'linearizability', 'go');
const PORCUPINE = 'github.com/anishathalye/porcupine@v1.3.1';

export function checker(): Promise<Tool> {
  const files = readdirSync(SOURCES).sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(SOURCES, file)));
  const prepare = async (work: string): Promise<void> => {
    for (const file of files) await copyFile(join(SOURCES, file), join(work, file));
  };
  const name = `linearizable-${hash.digest('hex').slice(0, 12)}`;
  return provideGo({ name, get: [PORCUPINE], source: '.', prepare });
}

export interface Judgement {
  readonly linearizable: boolean;
  /** How much was looked at, or the least that shows what is wrong. */
  readonly text: string;
}

export async function judge(path: string, history: readonly Recorded[]): Promise<Judgement> {
  const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  // One that ends before it has read everything says why.
  child.stdin.on('error', () => {});
  child.stdin.end(linesOf(history));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0 && code !== 1) throw new Error(`the checker cannot tell: ${text}`);
  return { linearizable: code === 0, text };
}

/** Keeps a whole history, to be looked at again. */
export function keep(history: readonly Recorded[], seed: number): string {
  const file = join(tmpdir(), `etcd-discovery-history-${seed}-${process.pid}.jsonl`);
  writeFileSync(file, linesOf(history));
  return file;
}
