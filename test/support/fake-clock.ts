import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installDebian, isDebianRoot } from './debian.ts';

const ROOT = '/usr/lib';

function libfaketime(): string | undefined {
  const directories = existsSync(ROOT) ? readdirSync(ROOT) : [];
  const paths = directories.map((each) => join(ROOT, each, 'faketime', 'libfaketime.so.1'));
  return paths.find((path) => existsSync(path));
}

/** Installs libfaketime if it runs as root. Returns a sentence if it is missing. */
export async function needFakeClock(): Promise<string | undefined> {
  if (libfaketime() !== undefined) return undefined;
  if (isDebianRoot()) return installDebian('libfaketime');
  return 'libfaketime is missing; on Debian: apt-get install libfaketime';
}

/** The wall clock of processes, which a test changes while they run. Their monotonic clock is not affected. */
export class FakeClock {
  readonly #directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-clock-'));
  readonly #file = join(this.#directory, 'offset');

  constructor(aheadSeconds = 0) {
    this.set(aheadSeconds);
  }

  /** The environment that gives a process this clock. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: libfaketime() ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** Sets how far the clock is ahead of the real one. Negative: behind. */
  set(aheadSeconds: number): void {
    const written = `${this.#file}.new`;
    writeFileSync(written, `${aheadSeconds < 0 ? '' : '+'}${aheadSeconds}\n`);
    // Renamed into place: a process that read a partial file would see another time.
    renameSync(written, this.#file);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
