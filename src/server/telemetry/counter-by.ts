import { Counter, type Registry } from 'prom-client';

/**
 * Creates a counter with one label, and returns the function that increments it. All label values exist from
 * the start, so that a rate includes the first increment.
 */
export function counterBy<V extends string>(
  register: Registry,
  { name, help, label, values }: { name: string; help: string; label: string; values: readonly V[] },
): (value: V, count?: number) => void {
  const counter = new Counter({ name, help, labelNames: [label], registers: [register] });
  const add = (value: V, count = 1): void => counter.inc({ [label]: value }, count);
  for (const value of values) add(value, 0);
  return add;
}
