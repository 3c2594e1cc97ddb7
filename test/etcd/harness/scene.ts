import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ending, endingText, Run } from './run.ts';
import { until } from './until.ts';

// Removed after the processes are killed (run.ts) when the test file is ended from outside.
const directories = new Set<string>();
process.on('exit', () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

/** The part of a test, or of a suite, that a scene needs. */
export interface Owner {
  after(cleanUp: () => Promise<void>): void;
}

/** A directory and the processes of one test, removed when the test ends, whatever its result. */
export class Scene implements Owner {
  readonly directory: string;
  readonly #runs: Run[] = [];
  readonly #cleanUps: Array<() => Promise<void>> = [];

  private constructor(directory: string) {
    this.directory = directory;
    directories.add(directory);
  }

  static async open(owner: Owner): Promise<Scene> {
    const scene = new Scene(await mkdtemp(join(tmpdir(), 'etcd-discovery-nodes-')));
    owner.after(() => scene.#close());
    return scene;
  }

  /** Registers a cleanup that runs at the end of the test, after the processes have ended. */
  after(cleanUp: () => Promise<void>): void {
    this.#cleanUps.push(cleanUp);
  }

  run(label: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
    const run = new Run(label, command, args, { ...cleanEnvironment(), ...env });
    this.#runs.push(run);
    return run;
  }

  /** Waits until the log of a run matches the pattern. Fails if the run ends first. */
  async waitForLog(run: Run, pattern: RegExp): Promise<void> {
    await this.until(`${run.label} to log ${pattern}`, () => {
      // Read before the log, because all output is read by then.
      const ending = run.ending;
      if (pattern.test(run.log)) return true;
      if (ending !== undefined) return `it ended before, with ${endingText(ending)}`;
      return undefined;
    });
  }

  /** Waits until the process of a run ends. */
  async waitForEnd(run: Run): Promise<Ending> {
    await this.until(`${run.label} to end`, () => (run.ending === undefined ? undefined : true));
    return run.ended;
  }

  /** Waits like `until`, and adds the logs of all processes to a failure. A returned text is a final failure. */
  async until(
    what: string,
    attempt: () => Promise<true | string | undefined> | true | string | undefined,
  ): Promise<void> {
    const outcome = await until(what, attempt, () => this.describe());
    if (outcome !== true) throw new Error(`${what}: ${outcome}${this.describe()}`);
  }

  /** Returns the last lines of every process. */
  describe(): string {
    return this.#runs.map((run) => run.describe()).join('\n');
  }

  async #close(): Promise<void> {
    await Promise.all(this.#runs.map((run) => run.stop('SIGKILL')));
    await Promise.all(this.#cleanUps.map((cleanUp) => cleanUp()));
    await rm(this.directory, { recursive: true, force: true });
    directories.delete(this.directory);
  }
}

/** Returns the environment without settings that change etcd, etcdctl or the service. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const unwanted = /^(ETCD_|ETCDCTL_|ETCD_DISCOVERY_|DISC_|NODE_TEST_CONTEXT)/;
  const kept = Object.entries(process.env).filter(([name]) => !unwanted.test(name));
  return { ...Object.fromEntries(kept), ETCDCTL_API: '3' };
}
