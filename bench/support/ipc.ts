// Questions and answers between the benchmark and the processes that it starts.

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

type Answerer = (argument: never) => unknown;

const answerers = new Map<string, Answerer>();
/** Questions that arrived before the answering code was loaded. */
let early: Question[] = [];

/**
 * Answers questions with these names. Keeps the process alive until the channel closes, and then ends it, so that
 * nothing outlives a killed benchmark.
 */
export function answer(these: Readonly<Record<string, Answerer>>): void {
  if (answerers.size === 0) {
    process.on('message', (message) => take(message as Question));
    process.on('disconnect', () => process.exit(1));
  }
  for (const [name, answerer] of Object.entries(these)) answerers.set(name, answerer);
  process.channel?.ref();
  const waiting = early;
  early = [];
  for (const question of waiting) take(question);
}

function take(question: Question): void {
  const { id, name, argument } = question;
  const answerer = answerers.get(name);
  if (answerer === undefined) {
    early.push(question);
    return;
  }
  new Promise((resolve) => {
    resolve(answerer(argument as never));
  }).then(
    (value) => process.send?.({ id, value } satisfies Answer),
    (error: unknown) =>
      process.send?.({ id, error: error instanceof Error ? error.message : String(error) } satisfies Answer),
  );
}
