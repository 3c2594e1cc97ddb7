import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';

export interface ReadOrder {
  readonly url: string;
  readonly accept: string;
  /** Concurrent readers, each with one connection. */
  readonly readers: number;
  readonly forMs: number;
}

/** Reads the same URL repeatedly. Returns how often. */
export async function readRepeatedly({ url, accept, readers, forMs }: ReadOrder): Promise<number> {
  const end = performance.now() + forMs;
  let answers = 0;
  const reader = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (performance.now() < end) {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        get(url, { agent, headers: { accept } }, resolve).on('error', reject);
      });
      await once(answer.resume(), 'end');
      answers += 1;
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: readers }, reader));
  return answers;
}
