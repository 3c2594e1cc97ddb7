// Measures the cost of a store with many tokens: start-up time, memory, and rates compared with a few tokens.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyOfFilled } from '../servers/data-directories.ts';
import { launchService, type Server } from '../servers/servers.ts';
import { Child } from '../support/child.ts';
import { memberListPath, tokenNumber } from '../support/filled.ts';
import { get, postNothing } from '../support/requests.ts';
import { ratios, type Spread, spread } from '../support/stats.ts';
import { cpuOf, inTurn, rateOf, runSlot, type Slot, type WantedRequests } from './slot.ts';
import { type Filled, measureStarts } from './starts.ts';

export interface TokensPlan {
  /** Ascending: the first is the empty store, and rates are compared with those of the second. */
  readonly counts: readonly number[];
  readonly starts: number;
  readonly rounds: number;
  readonly inFlight: readonly number[];
  readonly slotMs: number;
  /** The cache of filled stores. */
  readonly cache: string;
}

export interface TokensRow {
  readonly tokens: number;
  readonly startMs: Spread;
  /**
   * Without the page cache, garbage collected: after the start, and after the load. NaN on other systems than Linux.
   */
  readonly startedBytes: number;
  readonly usedBytes: number;
  readonly rates: readonly TokensRate[];
}

export interface TokensRate {
  readonly operation: string;
  readonly inFlight: number;
  readonly perSecond: Spread;
  /** Relative to the rate with the fewest tokens, of the same round. */
  readonly ratio: Spread;
  /** CPU time per call, with the fewest tokens / with these, so that more is better here too. */
  readonly cpuRatio: Spread;
}

const OPERATIONS = new Map<string, (tokens: number) => WantedRequests>([
  ['list of one token', () => ({ repeat: get(memberListPath(tokenNumber(0))) })],
  ['list, tokens all over the store', (tokens) => ({ spreadOver: tokens })],
  ['/new', () => ({ repeat: postNothing('/new?size=3') })],
  ['register, 3 a token', () => ({ dialect: 'v2', perToken: 3 })],
]);

export async function measureTokens(
  plan: TokensPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly TokensRow[]> {
  const stores: Filled[] = [];
  for (const tokens of plan.counts) {
    const directory = join(dataDir, `filled-${tokens}`);
    await copyOfFilled(tokens, { cache: plan.cache, target: directory }, progress);
    stores.push({ tokens, directory });
  }
  const starts = await measureStarts(plan.starts, stores, progress);
  const running: Running[] = [];
  for (const { tokens, directory } of stores) {
    const server = await launchService(directory);
    await server.settledUsage();
    running.push({ tokens, server, startedBytes: anonymousBytes(server.pid), slots: new Map() });
  }
  await measureRates(plan, running.slice(1), progress);
  const [, few] = running;
  const rows: TokensRow[] = [];
  for (const [index, { tokens, server, startedBytes, slots }] of running.entries()) {
    await server.settledUsage();
    rows.push({
      tokens,
      startMs: starts[index] as Spread,
      startedBytes,
      usedBytes: slots.size === 0 ? Number.NaN : anonymousBytes(server.pid),
      rates: [...slots].map(([name, { operation, inFlight, list }]) => {
        const least = few?.slots.get(name)?.list ?? [];
        return {
          operation,
          inFlight,
          perSecond: spread(list.map(rateOf)),
          ratio: ratios(list.map(rateOf), least.map(rateOf)),
          cpuRatio: ratios(least.map(cpuOf), list.map(cpuOf)),
        };
      }),
    });
    await server.stop();
  }
  return rows;
}

interface Running {
  readonly tokens: number;
  readonly server: Server;
  readonly startedBytes: number;
  readonly slots: Map<string, { operation: string; inFlight: number; list: Slot[] }>;
}

/** Measures each operation on each store back to back, in reverse order in every second round. */
async function measureRates(
  { rounds, inFlight: counts, slotMs }: TokensPlan,
  running: readonly Running[],
  progress: (text: string) => void,
): Promise<void> {
  const load = new Child('the load generator', 'load/main.js');
  for (let round = 0; round <= rounds; round += 1) {
    for (const [operation, wanted] of OPERATIONS) {
      for (const inFlight of counts) {
        for (const { tokens, server, slots } of inTurn(running, round)) {
          progress(`${tokens} tokens, round ${round}/${rounds}: ${operation}`);
          const name = `${operation}, ${inFlight}`;
          const { list } = slots.get(name) ?? { list: [] };
          const asked = { usage: server.usage, port: server.port, tokensAt: server.port };
          const timing = { inFlight, ms: slotMs };
          const slot = await runSlot(load, asked, wanted(tokens), timing, { last: list.at(-1) });
          // The first round warms up.
          slots.set(name, { operation, inFlight, list: round === 1 ? [slot] : [...list, slot] });
        }
      }
    }
  }
  await load.stop();
}

function anonymousBytes(pid: number): number {
  try {
    const [, kilobytes] = /^RssAnon:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return Number.NaN;
  }
}
