import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideGo, ROOT, type Tool } from '../support/programs.ts';
import { linesOf, type RecordedCall } from './history.ts';

// Builds the program of test/linearizability/go, which uses the checker Porcupine, once and keeps it.

const SOURCES = join(ROOT, 'test', 'linearizability', 'go');
const PORCUPINE = 'github.com/anishathalye/porcupine@v1.3.1';

export function buildChecker(): Promise<Tool> {
  const files = readdirSync(SOURCES).sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(SOURCES, file)));
  const prepare = async (work: string): Promise<void> => {
    for (const file of files) await copyFile(join(SOURCES, file), join(work, file));
  };
  const name = `linearizable-${hash.digest('hex').slice(0, 12)}`;
  return provideGo({ name, get: [PORCUPINE], source: '.', prepare });
}

export interface Verdict {
  readonly linearizable: boolean;
  /** How much was checked, or the smallest part that shows what is wrong. */
  readonly text: string;
}

export async function runChecker(path: string, history: readonly RecordedCall[]): Promise<Verdict> {
  const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  // A process that exits before it has read everything prints the reason.
  child.stdin.on('error', () => {});
  child.stdin.end(linesOf(history));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0 && code !== 1) throw new Error(`the checker has no verdict: ${text}`);
  return { linearizable: code === 0, text };
}

/** Saves a whole history for later analysis. */
export function save(history: readonly RecordedCall[], seed: number): string {
  const file = join(tmpdir(), `etcd-discovery-history-${seed}-${process.pid}.jsonl`);
  writeFileSync(file, linesOf(history));
  return file;
}
