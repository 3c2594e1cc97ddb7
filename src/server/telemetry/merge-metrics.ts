interface Family {
  /** The HELP and TYPE lines. */
  readonly head: readonly string[];
  readonly samples: string[];
}

/**
 * Merges the metrics of several workers in Prometheus' text format: each sample gets a label for its worker.
 * They are not summed, because the sum of a counter would drop when a worker restarts.
 */
export function mergeMetrics(texts: ReadonlyMap<number, string>): string {
  const families = new Map<string, Family>();
  for (const [worker, text] of texts) {
    let head: string[] = [];
    let family: Family | undefined;
    for (const line of text.split('\n')) {
      if (line === '') continue;
      if (line.startsWith('#')) {
        const [, word, name = ''] = line.split(' ', 3);
        if (word === 'HELP') head = [];
        head.push(line);
        family = families.get(name) ?? { head, samples: [] };
        families.set(name, family);
      } else {
        family?.samples.push(labelled(line, worker));
      }
    }
  }
  return [...families.values()].flatMap(({ head, samples }) => [...head, ...samples, '']).join('\n');
}

/** Adds the label to `name 1` or `name{a="b"} 1`. */
function labelled(sample: string, worker: number): string {
  const end = sample.search(/[{ ]/);
  const [name, rest] = [sample.slice(0, end), sample.slice(end)];
  const label = `worker="${worker}"`;
  return rest.startsWith('{') ? `${name}{${label},${rest.slice(1)}` : `${name}{${label}}${rest}`;
}
