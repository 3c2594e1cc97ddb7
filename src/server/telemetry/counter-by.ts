import { Counter, type Registry } from 'prom-client';

/**
 * Makes a counter with one label, and returns what adds to it. Every value of the label is there from the start, so
 * that a rate sees the first one.
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
