import { Server as NetServer } from 'node:net';
import type { Connections } from './connections.ts';
import type { Dispatch } from './dispatch.ts';

/** Drained says how a drain ended: with all requests answered, or with some cut off. */
export type Drained = 'drained' | 'cut';

export interface Draining {
  readonly server: NetServer;
  readonly connections: Connections;
  readonly dispatch: Dispatch;
  /** Time in ms for peers to close their side after their last response. */
  readonly linger: number;
}

/** Stops accepting, lets the requests in flight finish for up to `grace` ms, and closes. */
export function drain({ server, connections, dispatch, linger }: Draining, grace: number): Promise<Drained> {
  return new Promise((resolve) => {
    let lingering: NodeJS.Timeout | undefined;
    const finish = (): void => {
      connections.onClosed = undefined;
      clearTimeout(deadline);
      clearTimeout(lingering);
      const cut = dispatch.inFlight > 0;
      connections.destroy();
      server.close(); // ends the timer of Node's timeouts
      resolve(cut ? 'cut' : 'drained');
    };
    // The sockets left open by then have their responses; only their peers have not closed yet.
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
    // Not HTTP's own close: it destroys connections whose responses are written but not yet sent.
    NetServer.prototype.close.call(server);
    connections.drain();
    look();
  });
}
