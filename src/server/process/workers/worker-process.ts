import cluster, { type Worker } from 'node:cluster';
import type { Readable } from 'node:stream';
import type { RunningServer } from '../../serve.ts';
import { type ToPrimary, type ToWorker, WORKER_NUMBER } from './messages.ts';

/** A worker that does not send its metrics within this time is omitted from the scrape. */
const METRICS_LIMIT_MS = 2000;

export interface WorkerEnding {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it could not start, if it could report that. */
  readonly problem: string | undefined;
}

export interface WorkerOptions {
  /** Receives complete lines of the worker's log, in JSON. */
  readonly pass: (lines: string) => void;
  /** Returns the metrics of all workers, for a scrape that this one received. */
  readonly gather: () => Promise<string>;
}

/** WorkerProcess is a process that serves, as seen from the primary. */
export class WorkerProcess {
  /** The number of its place, starting at 1. */
  readonly number: number;
  readonly pid: number | undefined;
  /** Undefined: it exited before it could serve. */
  readonly serving: Promise<RunningServer['about'] | undefined>;
  /** Resolves when it has exited and its complete log was forwarded. */
  readonly ended: Promise<WorkerEnding>;
  /** Undefined if the system did not create a process. */
  readonly #worker: Worker | undefined;
  readonly #listening: Promise<void>;
  #isServing = false;
  #metrics: Promise<string | undefined> | undefined;
  #onMetrics = (_text?: string): void => {};

  constructor(number: number, { pass, gather }: WorkerOptions) {
    this.number = number;
    let onEnded = (_ending: WorkerEnding): void => {};
    this.ended = new Promise((resolve) => {
      onEnded = resolve;
    });
    // No process or memory is available: the others keep serving, and the next attempt is made later.
    const onNoProcess = ({ message }: Error): void =>
      onEnded({ code: null, signal: null, problem: `could not start (${message})` });
    const worker = fork(number);
    if (worker instanceof Error) {
      this.#listening = new Promise(() => {});
      this.serving = Promise.resolve(undefined);
      onNoProcess(worker);
      return;
    }
    this.#worker = worker;
    const { process: child } = worker;
    this.pid = child.pid;
    worker.on('error', (error) => {
      if (child.pid === undefined) onNoProcess(error);
    });
    if (child.stdout) passLines(child.stdout, pass);
    let problem: string | undefined;
    child.once('close', (code, signal) => onEnded({ code, signal, problem }));
    let onListening = (): void => {};
    this.#listening = new Promise((resolve) => {
      onListening = resolve;
    });
    this.serving = new Promise((resolve) => {
      worker.on('message', (message: ToPrimary) => {
        switch (message.type) {
          case 'LISTENING':
            return onListening();
          case 'SERVING':
            this.#isServing = true;
            return resolve(message.about);
          case 'PROBLEM':
            ({ problem } = message);
            return undefined;
          case 'OWN_METRICS':
            return this.#onMetrics(message.text);
          case 'GATHER_METRICS':
            return void gather().then((text) => this.tell({ type: 'METRICS', text }));
        }
      });
      void this.ended.then(() => {
        this.#isServing = false;
        this.#onMetrics();
        resolve(undefined);
      });
    });
  }

  get isServing(): boolean {
    return this.#isServing;
  }

  /** Sends a message once the worker listens, in the order of the calls. */
  tell(message: ToWorker): void {
    void this.#listening.then(() => {
      // Fails if the worker is gone.
      if (this.#worker?.isConnected()) this.#worker.process.send(message, () => {});
    });
  }

  /** Returns undefined if the worker does not answer in time. */
  metrics(): Promise<string | undefined> {
    return (this.#metrics ??= new Promise((resolve) => {
      const done = (text?: string): void => {
        clearTimeout(limit);
        this.#metrics = undefined;
        resolve(text);
      };
      const limit = setTimeout(done, METRICS_LIMIT_MS);
      this.#onMetrics = done;
      this.tell({ type: 'TELL_METRICS' });
    }));
  }

  kill(): void {
    this.#worker?.process.kill('SIGKILL');
  }
}

/** Some failures of the system are thrown, others are events of the worker. */
function fork(number: number): Worker | Error {
  try {
    // The IDs of node:cluster keep increasing, but the next worker in this place has the same number.
    return cluster.fork({ [WORKER_NUMBER]: String(number) });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function passLines(from: Readable, pass: (lines: string) => void): void {
  let begun = '';
  from.setEncoding('utf8').on('data', (text: string) => {
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) pass(begun + text.slice(0, end));
    begun = end > 0 ? text.slice(end) : begun + text;
  });
  from.on('end', () => {
    if (begun !== '') pass(`${begun}\n`);
  });
}
