// The load generator, in its own process. A job is prepared first (connections opened, tokens created), so that the
// server's resource usage can be read right before and after the calls.

import { randomInt } from 'node:crypto';
import { memberListPath, tokenNumber } from '../support/filled.ts';
import { answer } from '../support/ipc.ts';
import { get } from '../support/requests.ts';
import { closedLoop } from './closed-loop.ts';
import { grpcCallers } from './grpc.ts';
import { RawHttp1Connection } from './http1.ts';
import type { Caller, LoopResult, Next } from './loop.ts';
import { openLoop } from './open-loop.ts';
import { type RegistrationPlan, registrations } from './registrations.ts';
import * as streams from './streams.ts';
import * as waiters from './waiters.ts';

export interface Job {
  readonly port: number;
  /** The gRPC method. Unset: HTTP/1.1. */
  readonly grpcPath?: string;
  /** Concurrent calls. */
  readonly inFlight: number;
  readonly ms: number;
  /** Calls per second, at fixed times. Unset: each caller makes its next call when it has its response. */
  readonly perSecond?: number;
  /** How long to make calls before the clock starts, because new connections are slower. */
  readonly leadInMs?: number;
  readonly requests: Repeat | Scattered | Distinct;
}

/** One request, repeated. */
export interface Repeat {
  readonly repeat: Uint8Array;
}

/** Reads of member lists of tokens across a store that was filled with this many. */
export interface Scattered {
  readonly spreadOver: number;
}

export interface Distinct {
  readonly distinct: RegistrationPlan;
  /** The port on which to create the tokens. A baseline needs none, and may get the same request twice. */
  readonly tokensAt?: number;
}

export interface JobResult extends LoopResult {
  /** CPU time of the load generator itself. */
  readonly cpuMicros: number;
}

interface Prepared {
  readonly job: Job;
  readonly callers: readonly Caller[];
  readonly next: Next;
  readonly close: () => void;
}

const PREPARING_IN_FLIGHT = 128;
/** Tokens to read in turn: more than the store keeps decoded in memory. */
const SPREAD_REQUESTS = 50_000;

let prepared: Prepared | undefined;

async function prepare(job: Job): Promise<void> {
  const next = await requestsOf(job.requests);
  const { callers, close } =
    job.grpcPath === undefined
      ? await http1Callers(job.port, job.inFlight)
      : await grpcCallers(job.port, job.grpcPath, job.inFlight);
  const { leadInMs = 0, perSecond } = job;
  if (leadInMs > 0 && perSecond !== undefined) await closedLoop(callers, next, leadInMs);
  prepared = { job, callers, next, close };
}

async function run(): Promise<JobResult> {
  if (prepared === undefined) throw new Error('no job is prepared');
  const { job, callers, next, close } = prepared;
  prepared = undefined;
  try {
    const before = process.cpuUsage();
    const { ms, leadInMs, perSecond } = job;
    const result = await (perSecond === undefined
      ? closedLoop(callers, next, ms, leadInMs)
      : openLoop(callers, next, ms, perSecond));
    const { user, system } = process.cpuUsage(before);
    return { ...result, cpuMicros: user + system };
  } finally {
    close();
  }
}

async function requestsOf(requests: Job['requests']): Promise<Next> {
  if ('repeat' in requests) return () => requests.repeat;
  if ('spreadOver' in requests) return inOrder(spreadOver(requests.spreadOver), true);
  const { makeTokens, register } = registrations(requests.distinct);
  if (requests.tokensAt === undefined) return inOrder(register, true);
  const { callers, close } = await http1Callers(requests.tokensAt, PREPARING_IN_FLIGHT);
  await closedLoop(callers, inOrder(makeTokens, false), Number.POSITIVE_INFINITY).finally(close);
  return inOrder(register, false);
}

function spreadOver(tokens: number): Uint8Array[] {
  return Array.from({ length: Math.min(tokens, SPREAD_REQUESTS) }, () =>
    get(memberListPath(tokenNumber(randomInt(tokens)))),
  );
}

function inOrder(requests: readonly Uint8Array[], again: boolean): Next {
  let index = 0;
  return () => {
    if (again && index === requests.length) index = 0;
    const request = requests[index];
    index += 1;
    return request;
  };
}

async function http1Callers(port: number, count: number) {
  const connections = await Promise.all(Array.from({ length: count }, () => RawHttp1Connection.open(port)));
  return {
    callers: connections.map(http1Caller),
    close: () => connections.forEach((connection) => connection.close()),
  };
}

function http1Caller(connection: RawHttp1Connection): Caller {
  let done = (): void => {};
  let failed = (_: Error): void => {};
  const listener = {
    head: () => {},
    done: () => {
      if (connection.status >= 200 && connection.status < 300) done();
      else failed(new Error(`a call was rejected:\n${connection.refusal}`));
    },
    failed: (_: RawHttp1Connection, error: Error) => failed(error),
  };
  return {
    call(request, onDone, onFailed) {
      done = onDone;
      failed = onFailed;
      connection.send(request, listener);
    },
  };
}

answer({ prepare, run, ...waiters, ...streams });
