import { createMetrics, type Metrics } from '../../src/server/telemetry/metrics.ts';

/** Returns metrics that belong to no service. */
export function emptyMetrics(): Metrics {
  return createMetrics('0');
}

/** Returns the values of a service's /metrics by `name{label="value",...}`, in the order of the text. */
export async function scrape(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(new URL('/metrics', url))).text();
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, series, value] = /^([a-zA-Z_:][^#]*) (\S+)$/.exec(line) ?? [];
    if (series !== undefined) samples.set(series, Number(value));
  }
  return samples;
}
