import { Server as NetServer } from 'node:net';
import type { Connections } from './connections.ts';
import type { Dispatch } from './dispatch.ts';

/** How a drain ended: with every request answered, or with some cut off. */
export type Drained = 'drained' | 'cut';

export interface Draining {
  readonly server: NetServer;
  readonly connections: Connections;
  readonly dispatch: Dispatch;
  /** For peers whose answers are sent to close their side, in ms. */
  readonly linger: number;
}

/** Accepts nothing new, lets the requests in flight be answered for up to `grace` ms, and closes. */
export function drain({ server, connections, dispatch, linger }: Draining, grace: number): Promise<Drained> {
  return new Promise((resolve) => {
    let lingering: NodeJS.Timeout | undefined;
    const finish = (): void => {
      connections.onClosed = undefined;
      clearTimeout(deadline);
      clearTimeout(lingering);
      const cut = dispatch.inFlight > 0;
      connections.destroy();
      server.close(); // ends the timer of Node's time-outs
      resolve(cut ? 'cut' : 'drained');
    };
    // What is left open then has been answered, and only the peer has not closed its side yet.
    const look = (): void => {
      clearTimeout(lingering);
      if (connections.open === 0) finish();
      else if (dispatch.inFlight === 0) lingering = setTimeout(finishIdle, linger);
    };
    const finishIdle = (): void => {
      if (dispatch.inFlight === 0) finish();
    };
    const deadline = setTimeout(finish, grace);
    connections.onClosed = look;
    dispatch.onIdle = look;
    // Not HTTP's own close: it destroys connections whose answers are written but not yet sent.
    NetServer.prototype.close.call(server);
    connections.drain();
    look();
  });
}
